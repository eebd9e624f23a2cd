import type { BodySource } from '../exchange.ts'
import { type BodyWatcher, MeteredBody } from './metered-body.ts'
import { ReplayBody } from './replay-body.ts'
import type { ProxyAction } from './world.ts'

/** A client's body for one attempt after another. */
export class OutgoingBody {
  readonly #metered: MeteredBody
  readonly #replay: ReplayBody | undefined

  constructor(body: BodySource, { bodyLimitBytes, retry }: ProxyAction, method: string, watcher: BodyWatcher) {
    this.#metered = new MeteredBody(body, bodyLimitBytes, watcher)
    const mayRepeat = retry !== undefined && retry.bufferBytes > 0 && retry.methods.has(method)
    this.#replay = mayRepeat ? new ReplayBody(this.#metered, retry.bufferBytes) : undefined
  }

  get source(): BodySource {
    return this.#replay ?? this.#metered
  }

  /** Another attempt would be given all of it. */
  get canRestart(): boolean {
    return !this.#metered.hasStarted || this.#replay?.canRestart === true
  }

  /** The attempt that had it is over, and another one follows. */
  detach(): void {
    this.#replay?.detach()
  }
}
