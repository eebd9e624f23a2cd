import type { Config } from '../config/config.ts'
import { findNearest } from '../config/nearest.ts'
import type { PauseReport } from '../ipc/control.ts'
import type { RoutePause } from '../ipc/protocol.ts'

/** The routes whose requests every worker holds. */
export class Pauses {
  /** When each is over, by route. */
  readonly #untilMs = new Map<string, number>()
  readonly #tell: () => void

  /** `tell`: the workers have to hear of a change. */
  constructor(tell: () => void) {
    this.#tell = tell
  }

  /** Throws where there is no such route. A second pause takes the place of the first one. */
  pause(route: string, maxMs: number, { routes }: Config): PauseReport {
    if (!routes.some(({ name }) => name === route)) {
      const near = findNearest(
        route,
        routes.map(({ name }) => name),
      )
      throw new Error(
        `there is no route ${JSON.stringify(route)}${near ? `; did you mean ${JSON.stringify(near)}?` : ''}`,
      )
    }
    const untilMs = Date.now() + maxMs
    this.#untilMs.set(route, untilMs)
    this.#tell()
    return { route, until: new Date(untilMs).toISOString() }
  }

  /** Throws where it is not paused. */
  resume(route: string): void {
    const wasPaused = this.#live().has(route)
    this.#untilMs.delete(route)
    this.#tell()
    if (!wasPaused) throw new Error(`the route ${JSON.stringify(route)} is not paused`)
  }

  /** Routes that a new configuration no longer has are not paused any more. */
  keep({ routes }: Config): void {
    const names = new Set(routes.map(({ name }) => name))
    for (const route of this.#untilMs.keys()) if (!names.has(route)) this.#untilMs.delete(route)
  }

  report(): PauseReport[] {
    return [...this.#live()].map(([route, untilMs]) => ({ route, until: new Date(untilMs).toISOString() }))
  }

  /** For workers. */
  list(): RoutePause[] {
    const nowMs = Date.now()
    return [...this.#live()].map(([route, untilMs]) => ({ route, leftMs: untilMs - nowMs }))
  }

  #live(): ReadonlyMap<string, number> {
    const nowMs = Date.now()
    for (const [route, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(route)
    return this.#untilMs
  }
}
