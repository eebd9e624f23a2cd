import type { Problem } from '../problem.ts'

/** Why the daemon did not start; nothing of it is left. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly problems: readonly Problem[]

  constructor(message: string, problems: readonly Problem[], options?: ErrorOptions) {
    super(message, options)
    this.problems = problems
  }
}
