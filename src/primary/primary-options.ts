import type { ConfigOverrides } from '../config/overrides.ts'
import type { FileWatch } from '../config/watch.ts'
import type { Log } from '../log/log.ts'
import type { MetricsTotals } from '../metrics/totals.ts'
import type { BackendNames } from './backend-names.ts'
import type { Deadlines } from './deadlines.ts'
import type { HealthDesk } from './health-desk.ts'
import type { Pauses } from './pauses.ts'
import type { RestartPolicy } from './restart-policy.ts'
import type { Supervisor } from './supervisor.ts'

export interface PrimaryOptions {
  readonly configFile: string
  readonly env: NodeJS.ProcessEnv
  readonly overrides: ConfigOverrides
  /** Exists; the control socket is made in it. */
  readonly runDir: string
  readonly log: Log
  readonly programVersion: string
  readonly workerExec?: string
  readonly deadlines?: Deadlines
  readonly policy?: RestartPolicy
}

export interface PrimaryParts {
  readonly supervisor: Supervisor
  readonly watch: FileWatch
  readonly totals: MetricsTotals
  readonly pauses: Pauses
  readonly names: BackendNames
  readonly health: HealthDesk
}
