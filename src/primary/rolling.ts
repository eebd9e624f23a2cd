import type { WorkerResult } from '../ipc/control.ts'
import type { ServingState } from './serving-state.ts'
import type { Slot } from './slot.ts'
import type { Supervisor } from './supervisor.ts'

export interface RollOutcome {
  /** Why the roll ended early; everything serves the old state then. */
  readonly problem: string | undefined
  readonly workers: readonly WorkerResult[]
}

/** How often the way back is tried in one slot. */
const TRIES_BACK = 3

/**
 * Replaces the workers one by one, new before old. Where a new one does not become ready, the slots that were already
 * replaced go back, so that no mixture stays.
 */
export async function rollWorkers(supervisor: Supervisor, next: ServingState): Promise<RollOutcome> {
  const before = supervisor.state
  const count = next.snapshot.config.server.workers
  const workers: WorkerResult[] = []
  const rolled: Slot[] = []
  const fail = async (problem: string): Promise<RollOutcome> => {
    const stuck = supervisor.isStopping ? [] : await goBack(rolled, before)
    return { problem: [problem, ...stuck].join('; '), workers }
  }
  for (const slot of supervisor.slots.slice(0, count)) {
    const startedMs = performance.now()
    const outcome = await slot.replace(next)
    const problem = outcome.ok ? undefined : outcome.problem
    const tookMs = performance.now() - startedMs
    workers.push({ id: slot.id, pid: outcome.pid, ok: outcome.ok, tookMs, problem })
    if (problem !== undefined) return fail(`worker ${slot.id} did not start: ${problem}`)
    rolled.push(slot)
  }
  const grown = await supervisor.grow(count, next)
  if (!grown.ok) return fail(`a further worker did not start: ${grown.problem}`)
  await supervisor.shrink(count)
  supervisor.adopt(next)
  return { problem: undefined, workers }
}

/**
 * Returns a line for each slot that could not go back. Its worker serves on, on the new state, because that is better than
 * none; the next one there is started on the old state.
 */
async function goBack(rolled: readonly Slot[], before: ServingState): Promise<string[]> {
  const stuck: string[] = []
  for (const slot of rolled.toReversed()) {
    const problem = await replaceWithin(TRIES_BACK, slot, before)
    if (problem === undefined) continue
    slot.use(before)
    stuck.push(`worker ${slot.id} could not go back to the old state and serves the new one: ${problem}`)
  }
  return stuck
}

async function replaceWithin(tries: number, slot: Slot, state: ServingState): Promise<string | undefined> {
  let problem: string | undefined
  for (let i = 0; i < tries; i += 1) {
    const outcome = await slot.replace(state)
    if (outcome.ok) return undefined
    problem = outcome.problem
  }
  return problem
}
