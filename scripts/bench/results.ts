import type { BenchOptions } from './bench.ts'
import type { Row } from './figures.ts'
import type { HalfRate } from './half-rate.ts'
import type { LoadName } from './load.ts'
import type { Machine } from './machine.ts'
import type { ManagedCost } from './managed.ts'
import type { IdleMemory } from './memory.ts'
import type { ReloadTime } from './reload.ts'
import type { LeftOut } from './rounds.ts'
import type { RouteCost } from './routes.ts'
import type { WorkerScaling } from './workers.ts'

/** What is measured beside the loads; undefined where it was not. */
export interface Extras {
  readonly 'half-rate': readonly HalfRate[] | undefined
  readonly routes: readonly RouteCost[] | undefined
  readonly managed: ManagedCost | undefined
  readonly memory: readonly IdleMemory[] | undefined
  readonly reload: ReloadTime | undefined
  /** Milliseconds. */
  readonly start: number | undefined
  readonly workers: WorkerScaling | undefined
}

/** Everything that one run of the bench found. */
export interface Results {
  /** As it was typed. */
  readonly command: string
  readonly machine: Machine
  readonly options: BenchOptions
  readonly leftOut: readonly LeftOut[]
  readonly rows: readonly Row[]
  readonly extras: Extras
}

export function findRow({ rows }: Pick<Results, 'rows'>, load: LoadName, contender: string): Row | undefined {
  return rows.find((row) => row.load === load && row.contender === contender)
}
