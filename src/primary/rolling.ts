import type { WorkerResult } from '../ipc/control.ts'
import type { ServingState } from './serving-state.ts'
import type { Supervisor } from './supervisor.ts'

export interface RollOutcome {
  /** Why the roll ended early; everything serves the old state then. */
  readonly problem: string | undefined
  readonly workers: readonly WorkerResult[]
}

/**
 * Replaces the workers one by one, new before old. Where a new one does not become ready, the slots that were already
 * replaced go back, so that no mixture stays.
 */
export async function rollWorkers(supervisor: Supervisor, next: ServingState): Promise<RollOutcome> {
  const before = supervisor.state
  const count = next.snapshot.config.server.workers
  const workers: WorkerResult[] = []
  const rolled = []
  for (const slot of supervisor.slots.slice(0, count)) {
    const startedMs = performance.now()
    const outcome = await slot.replace(next)
    const problem = outcome.ok ? undefined : outcome.problem
    const tookMs = performance.now() - startedMs
    workers.push({ id: slot.id, pid: outcome.pid, ok: outcome.ok, tookMs, problem })
    if (problem !== undefined) {
      for (const undone of rolled.reverse()) await undone.replace(before)
      return { problem: `worker ${slot.id} did not start: ${problem}`, workers }
    }
    rolled.push(slot)
  }
  const grown = await supervisor.grow(count, next)
  if (!grown.ok) {
    for (const undone of rolled.reverse()) await undone.replace(before)
    return { problem: `a further worker did not start: ${grown.problem}`, workers }
  }
  await supervisor.shrink(count)
  supervisor.adopt(next)
  return { problem: undefined, workers }
}
