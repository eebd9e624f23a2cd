import type { Bench } from './bench.ts'
import { cpuPerRequest } from './figures.ts'
import type { Instance } from './instance.ts'
import { type LoadResult, measure, type Sample, UNMEASURED, type Window } from './window.ts'

const SHORT_WARM_UP_SECONDS = 0.3

/** One thing that is measured in each round. */
export interface Turn {
  readonly label: string
  readonly instance: Instance
  /** By round. */
  readonly samples: Sample[]
  run(seconds: number, window: Window): Promise<LoadResult>
}

export function createTurn(label: string, instance: Instance, run: Turn['run']): Turn {
  return { label, instance, samples: [], run }
}

/** Measures each of them in every round, one after the other, each after a warm-up. */
export async function takeTurns(bench: Bench, turns: readonly Turn[]): Promise<void> {
  const { rounds, seconds, warmUpSeconds, say } = bench
  for (let round = 0; round < rounds; round++) {
    for (const turn of rotate(turns, round)) {
      const sample = await tryMeasure(bench, turn, seconds, round === 0 ? warmUpSeconds : SHORT_WARM_UP_SECONDS)
      turn.samples.push(sample)
      const cpu = cpuPerRequest(sample)?.toFixed(1) ?? '-'
      const errors = Object.keys(sample.errors).length > 0 ? `, errors: ${JSON.stringify(sample.errors)}` : ''
      say(`${turn.label}, round ${round + 1} of ${rounds}: ${cpu} µs a request${errors}`)
    }
  }
}

/** A load that fails is a sample without requests that says why. */
async function tryMeasure(bench: Bench, turn: Turn, seconds: number, warmUpSeconds: number): Promise<Sample> {
  try {
    await turn.run(warmUpSeconds, UNMEASURED)
    return await measure(turn.instance.pid, (window) => turn.run(seconds, window))
  } catch (error) {
    bench.lab.signal.throwIfAborted()
    const errors = { [(error as Error).message]: 1 }
    return { requests: 0, bytes: 0, seconds, p50Micros: 0, p99Micros: 0, errors, cpuMicros: 0, rssBytes: 0 }
  }
}

/** So that nobody is always the first of a round. */
function rotate<T>(items: readonly T[], by: number): T[] {
  const at = items.length === 0 ? 0 : by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}
