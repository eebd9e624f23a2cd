import type { WorkerResult } from '../ipc/control.ts'
import type { Ack } from './ack-desk.ts'
import type { ServingState } from './serving-state.ts'
import type { Supervisor } from './supervisor.ts'
import type { WorkerHandle } from './worker-handle.ts'

export interface PublishOutcome {
  /** Why nobody serves the new state; undefined: everybody does. */
  readonly error: string | undefined
  readonly workers: readonly WorkerResult[]
}

type Agreement =
  | { readonly kind: 'agreed'; readonly workers: readonly WorkerHandle[] }
  | { readonly kind: 'refused'; readonly outcome: PublishOutcome }
  /** No worker lived to say whether it can serve the new state. */
  | { readonly kind: 'deserted'; readonly outcome: PublishOutcome }

/**
 * Gives the workers another snapshot in two steps, so that none serves what another cannot, and brings their number to
 * what it says. Whoever dies meanwhile comes back on the state that was agreed on: a death is no refusal as long as
 * one worker could prepare what all are given.
 */
export async function publishState(supervisor: Supervisor, next: ServingState): Promise<PublishOutcome> {
  let agreement = await agree(supervisor, next)
  // A worker may die for a reason of its own, and it may have been the only one; twice in a row is the snapshot's doing.
  if (agreement.kind === 'deserted' && !supervisor.isStopping) agreement = await agree(supervisor, next)
  if (agreement.kind !== 'agreed') return agreement.outcome
  const { version, config } = next.snapshot
  const workers = await Promise.all(agreement.workers.map((worker) => commit(worker, version)))
  await supervisor.shrink(config.server.workers)
  return { error: undefined, workers }
}

/** Where all can serve the new state it is the supervisor's from then on; otherwise nothing has changed. */
async function agree(supervisor: Supervisor, next: ServingState): Promise<Agreement> {
  // A replacement that started now would start on the old state, and miss the change.
  supervisor.hold()
  try {
    await supervisor.settleStarts()
    const workers = supervisor.readyWorkers()
    const problem = await prepare(workers, next)
    if (problem) return problem
    const grown = await supervisor.grow(next.snapshot.config.server.workers, next)
    if (!grown.ok) return refuse(workers, next, `a further worker did not start: ${grown.problem}`)
    supervisor.adopt(next)
    return { kind: 'agreed', workers }
  } finally {
    supervisor.release()
  }
}

async function prepare(workers: readonly WorkerHandle[], next: ServingState): Promise<Agreement | undefined> {
  const acks = await Promise.all(workers.map((worker) => worker.prepare(next.snapshot)))
  const results = workers.map((worker, i) => resultOf(worker, acks[i]))
  const refused = acks.findIndex(({ kind }) => kind === 'rejected' || kind === 'late')
  if (refused === -1 && acks.some(({ kind }) => kind === 'done')) return undefined
  const speaker = results[refused] ?? results[0]
  const error = speaker ? `worker ${speaker.id}: ${speaker.problem}` : 'no worker lives that could take it'
  const refusal = refuse(workers, next, error, results)
  if (refused !== -1) return refusal
  await Promise.all(workers.map(({ gone }) => gone))
  return { ...refusal, kind: 'deserted' }
}

function refuse(
  workers: readonly WorkerHandle[],
  { snapshot }: ServingState,
  error: string,
  results: readonly WorkerResult[] = [],
): Agreement & { readonly kind: 'refused' } {
  for (const worker of workers) worker.discard(snapshot.version)
  return { kind: 'refused', outcome: { error, workers: results } }
}

async function commit(worker: WorkerHandle, version: number): Promise<WorkerResult> {
  const ack = await worker.commit(version)
  if (ack.kind !== 'done') worker.kill('did not take the new configuration')
  return resultOf(worker, ack)
}

function resultOf({ slot: id, pid }: WorkerHandle, ack: Ack | undefined): WorkerResult {
  const problem = ack && describeAck(ack)
  return { id, pid, ok: problem === undefined, tookMs: ack?.tookMs ?? 0, problem }
}

function describeAck(ack: Ack): string | undefined {
  switch (ack.kind) {
    case 'done':
      return undefined
    case 'rejected':
      return ack.problem
    case 'late':
      return `did not answer within ${ack.tookMs} ms`
    case 'gone':
      return 'died meanwhile'
  }
}
