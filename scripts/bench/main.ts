import { readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { fillSection } from '../readme.ts'
import { judge } from './bars.ts'
import { type Bench, createBench } from './bench.ts'
import { BASELINE, CONTENDERS, PROGRAMS, SUBJECT, whyMissing } from './contender.ts'
import { summarize } from './figures.ts'
import { measureHalfRate } from './half-rate.ts'
import { Lab } from './lab.ts'
import { LOADS } from './load.ts'
import { describeMachine } from './machine.ts'
import { measureManaged } from './managed.ts'
import { measureMemory } from './memory.ts'
import { type Choice, type ExtraName, exitCodeOf, parseOptions } from './options.ts'
import { measureReload } from './reload.ts'
import { formatMarkdown, formatResults } from './report.ts'
import type { Extras, Results } from './results.ts'
import { type LeftOut, runRounds } from './rounds.ts'
import { measureRoutes } from './routes.ts'
import { measureStart } from './start-time.ts'
import { measureWorkers } from './workers.ts'

const readmeFile = fileURLToPath(new URL('../../README.md', import.meta.url))

/** Thrown into whatever is under way. */
class Interrupted extends Error {
  readonly signal: NodeJS.Signals

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`)
    this.signal = signal
  }
}

try {
  const choice = parseOptions(process.argv.slice(2))
  write(choice, await runBench(choice))
} catch (error) {
  process.exitCode = exitCodeOf(error) ?? 1
  if (error instanceof Interrupted) process.exitCode = 128 + constants.signals[error.signal]
  if (exitCodeOf(error) === undefined) console.error(error instanceof Interrupted ? error.message : error)
}

async function runBench(choice: Choice): Promise<Results> {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // A second one does not wait for anybody: the lab ends everything by force on the way out.
      if (controller.signal.aborted) process.exit(128 + constants.signals[signal])
      controller.abort(new Interrupted(signal))
    })
  }
  try {
    await using lab = new Lab(controller.signal)
    return await measureAll(lab, choice)
  } catch (error) {
    controller.signal.throwIfAborted()
    throw error
  }
}

async function measureAll(lab: Lab, choice: Choice): Promise<Results> {
  const noBackend = whyMissing(PROGRAMS.nginx)
  if (noBackend !== undefined) throw new Error(`the backend of every contender is nginx: ${noBackend}`)
  const bench = await createBench(lab, choice.bench, (text) => console.error(text))
  const leftOut: LeftOut[] = []
  const contenders = choice.contenders.filter(({ name, program }) => {
    const reason = whyMissing(program)
    if (reason !== undefined) leftOut.push({ name, reason })
    return reason === undefined
  })
  const loads = [...choice.loads].filter((load) => {
    const { tool } = LOADS[load]
    const reason = tool === 'ws' ? undefined : whyMissing(PROGRAMS[tool])
    if (reason !== undefined) leftOut.push({ name: load, reason })
    return reason === undefined
  })
  const rounds = await runRounds(bench, contenders, new Set(loads))
  leftOut.push(...rounds.leftOut)
  return {
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--'] : []), ...process.argv.slice(2)].join(' '),
    machine: await describeMachine(lab),
    options: choice.bench,
    rows: summarize(rounds.cells, BASELINE),
    extras: await measureExtras(bench, choice.extras, leftOut),
    leftOut,
  }
}

async function measureExtras(bench: Bench, wanted: ReadonlySet<ExtraName>, leftOut: LeftOut[]): Promise<Extras> {
  const compared = CONTENDERS.filter(({ name }) => name === BASELINE || name === SUBJECT)
  const attempt = async <T>(name: ExtraName, measure: () => Promise<T>): Promise<T | undefined> => {
    if (!wanted.has(name)) return undefined
    try {
      return await measure()
    } catch (error) {
      bench.lab.signal.throwIfAborted()
      leftOut.push({ name, reason: (error as Error).message })
      return undefined
    }
  }
  return {
    'half-rate': await attempt('half-rate', () => measureHalfRate(bench, compared)),
    routes: await attempt('routes', () => measureRoutes(bench)),
    managed: await attempt('managed', () => measureManaged(bench)),
    memory: await attempt('memory', () => measureMemory(bench)),
    reload: await attempt('reload', () => measureReload(bench)),
    start: await attempt('start', () => measureStart(bench)),
    workers: await attempt('workers', () => measureWorkers(bench)),
  }
}

function write({ json, readme }: Choice, results: Results): void {
  const document = `${JSON.stringify({ ...results, bars: judge(results) }, undefined, 2)}\n`
  if (json === '-') process.stdout.write(document)
  else process.stdout.write(formatResults(results))
  if (json !== undefined && json !== '-') writeFileSync(json, document)
  if (readme)
    writeFileSync(readmeFile, fillSection(readFileSync(readmeFile, 'utf8'), 'benchmarks', formatMarkdown(results)))
}
