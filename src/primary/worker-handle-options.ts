import type { BackendTrouble } from '../ipc/health-messages.ts'
import type { ToWorker } from '../ipc/protocol.ts'
import type { MetricsDelta } from '../metrics/delta.ts'
import type { Deadlines } from './deadlines.ts'
import type { LimitDesk } from './limit-desk.ts'
import type { ServingState } from './serving-state.ts'
import type { WorkerHandle } from './worker-handle.ts'
import type { WorkerProgram } from './worker-process.ts'

export interface WorkerHandleOptions {
  readonly slot: number
  readonly state: ServingState
  readonly program: WorkerProgram
  readonly deadlines: Deadlines
  readonly limits: LimitDesk
  /** A message that was lost or not understood. */
  readonly failed: (worker: WorkerHandle, error: Error) => void
  /** What its requests told of a backend. */
  readonly troubled: (worker: WorkerHandle, trouble: BackendTrouble) => void
  /** What it counted since the last call. */
  readonly counted: (delta: MetricsDelta) => void
  /** Sent behind the state. */
  readonly briefing: () => readonly ToWorker[]
}
