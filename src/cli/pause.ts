import { type Command, InvalidArgumentError } from 'commander'
import { duration } from '../config/schema/scalars.ts'
import type { PauseReport } from '../ipc/control.ts'
import { act, type CommandContext, formatExamples } from './command.ts'
import { askPrimary } from './control-client.ts'
import { EXIT } from './exit-codes.ts'
import type { Outcome } from './outcome.ts'
import { formatDuration } from './quantity.ts'

const TIMEOUT_MS = 5_000
const USUAL_MS = 30_000
const LONGEST_MS = 3_600_000

export function addPause(program: Command): void {
  program
    .command('pause')
    .description('hold the requests of a route, for the time in which its backend is replaced')
    .argument('<route>', 'name of the route, as `routes` lists it')
    .option('--max <duration>', 'longest time, at most 1h; then they are let go', parseMax, USUAL_MS)
    .addHelpText(
      'after',
      formatExamples([
        ['pause api', 'at most 30 seconds'],
        ['pause api --max 2m && ./deploy.sh && pyserve-ts resume api', 'around a deploy'],
      ]),
    )
    .action((route: string, ...rest: unknown[]) =>
      act<{ readonly max: number }>((context, { max }) => pause(context, route, max))(...rest),
    )
}

export function addResume(program: Command): void {
  program
    .command('resume')
    .description('let the held requests of a route go, in the order in which they came')
    .argument('<route>', 'name of the route')
    .addHelpText('after', formatExamples([['resume api', 'the deploy is over']]))
    .action((route: string, ...rest: unknown[]) => act((context) => resume(context, route))(...rest))
}

async function pause({ runDir }: CommandContext, route: string, maxMs: number): Promise<Outcome> {
  const report = await askPrimary<PauseReport>({ runDir, timeoutMs: TIMEOUT_MS }, { command: 'pause', route, maxMs })
  const text = `${route} is paused for at most ${formatDuration(maxMs)}\n`
  return { exitCode: EXIT.done, document: report, text }
}

async function resume({ runDir }: CommandContext, route: string): Promise<Outcome> {
  await askPrimary({ runDir, timeoutMs: TIMEOUT_MS }, { command: 'resume', route })
  return { exitCode: EXIT.done, document: { route }, text: `${route} is resumed\n` }
}

function parseMax(text: string): number {
  const { data: maxMs, error } = duration({ mayBeZero: false }).safeParse(text)
  if (maxMs === undefined) throw new InvalidArgumentError(`Expected ${error?.issues[0]?.message ?? 'a duration'}.`)
  if (maxMs > LONGEST_MS) throw new InvalidArgumentError('At most 1h.')
  return maxMs
}
