import { Command, CommanderError, InvalidArgumentError } from 'commander'
import type { BenchOptions } from './bench.ts'
import { CONTENDERS, type Contender } from './contender.ts'
import { LOADS, type LoadName } from './load.ts'
import type { Extras } from './results.ts'

export type ExtraName = keyof Extras

export const EXTRAS = [
  'half-rate',
  'routes',
  'managed',
  'memory',
  'reload',
  'start',
  'workers',
] as const satisfies readonly ExtraName[]

const NORMAL: BenchOptions = { rounds: 5, seconds: 3, warmUpSeconds: 6, idleConnections: 5_000 }
const QUICK: BenchOptions = { rounds: 1, seconds: 0.5, warmUpSeconds: 0.3, idleConnections: 500 }

const LOAD_NAMES = Object.keys(LOADS) as LoadName[]
const CONTENDER_NAMES = CONTENDERS.map(({ name }) => name)

export interface Choice {
  readonly bench: BenchOptions
  readonly contenders: readonly Contender[]
  readonly loads: ReadonlySet<LoadName>
  readonly extras: ReadonlySet<ExtraName>
  /** A file, or `-` for the output instead of the tables. */
  readonly json: string | undefined
  readonly readme: boolean
}

interface Flags {
  readonly rounds?: number
  readonly seconds?: number
  readonly only?: readonly string[]
  readonly load?: readonly string[]
  readonly quick?: true
  readonly json?: string
  readonly readme?: true
}

/** Throws CommanderError, with the exit code, for `--help` and for what it does not understand; it has been said then. */
export function parseOptions(args: readonly string[]): Choice {
  const command = new Command('npm run bench --')
    .description('Measures pyserve-ts beside other proxies: CPU time per request, rates, latencies, memory.')
    .option('--rounds <n>', `rounds; each takes every contender once (default: ${NORMAL.rounds})`, parsePositive)
    .option('--seconds <n>', `length of each measurement (default: ${NORMAL.seconds})`, parsePositive)
    .option('--only <names>', `contenders: ${CONTENDER_NAMES.join(', ')}`, listOf(CONTENDER_NAMES))
    .option('--load <names>', `loads: ${[...LOAD_NAMES, ...EXTRAS].join(', ')}`, listOf([...LOAD_NAMES, ...EXTRAS]))
    .option('--quick', 'one short round of everything, in less than two minutes')
    .option('--json <file>', 'write all figures there; -: print them instead of the tables')
    .option('--readme', 'write the tables into README.md')
    .addHelpText('after', HELP)
    .exitOverride()
    .parse(args, { from: 'user' })
  const { rounds, seconds, only, load, quick, json, readme } = command.opts<Flags>()
  if (rounds !== undefined && !Number.isInteger(rounds))
    command.error('error: --rounds is a whole number', { exitCode: 2 })
  const base = quick ? QUICK : NORMAL
  return {
    bench: { ...base, rounds: rounds ?? base.rounds, seconds: seconds ?? base.seconds },
    contenders: CONTENDERS.filter(({ name }) => only?.includes(name) ?? true),
    loads: new Set(LOAD_NAMES.filter((name) => load?.includes(name) ?? true)),
    extras: new Set(EXTRAS.filter((name) => load?.includes(name) ?? true)),
    json,
    readme: readme === true,
  }
}

/** Undefined where it is another error. */
export function exitCodeOf(error: unknown): number | undefined {
  if (!(error instanceof CommanderError)) return undefined
  return error.exitCode === 0 ? 0 : 2
}

function parsePositive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 3_600)) throw new InvalidArgumentError('It is a number above 0.')
  return value
}

function listOf(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const names = text.split(',').map((name) => name.trim())
    const unknown = names.find((name) => !known.includes(name))
    if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${known.join(', ')}.`)
    return names
  }
}

const HELP = `
Examples:
  npm run bench                                            everything, about half an hour
  npm run bench -- --quick                                 a first look
  npm run bench -- --only nginx,pyserve-ts --load get-64   one load, two contenders
  npm run bench -- --rounds 9 --json bench.json            more rounds, all figures as JSON
  npm run bench -- --readme                                the tables of README.md

A program that is missing is left out, and so is said why. CPU time is that of all processes of a contender, user and
system, from /proc; the ratio is the median of the ratios within each round.`
