import type { HealthCheckConfig } from '../config/health-config.ts'

/** How a backend stands with one kind of check. Until it was checked it is up. */
export interface CheckState {
  isUp: boolean
  /** Results in a row that speak against `isUp`. */
  contrary: number
}

export function createCheckState(): CheckState {
  return { isUp: true, contrary: 0 }
}

/** True where the result was the last one that it took to bring the backend up, or down. */
export function noteCheck(
  state: CheckState,
  ok: boolean,
  { healthy, unhealthy }: Pick<HealthCheckConfig, 'healthy' | 'unhealthy'>,
): boolean {
  if (ok === state.isUp) {
    state.contrary = 0
    return false
  }
  state.contrary++
  if (state.contrary < (state.isUp ? unhealthy : healthy)) return false
  state.isUp = ok
  state.contrary = 0
  return true
}
