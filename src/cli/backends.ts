import type { Command } from 'commander'
import type { BackendReport, BackendRequest } from '../ipc/control.ts'
import { formatBackends } from './backends-report.ts'
import { act, type CommandContext, formatExamples } from './command.ts'
import { askPrimary } from './control-client.ts'
import { EXIT } from './exit-codes.ts'
import type { Outcome } from './outcome.ts'

/** More than the primary waits for its workers. */
const TIMEOUT_MS = 10_000

export function addBackends(program: Command): void {
  const backends = program
    .command('backends')
    .description('list the backends with their health, or take one out of service for a while')
    .addHelpText(
      'after',
      formatExamples([
        ['backends', 'all of them: state, since when, last check, why'],
        ['backends drain 10.0.0.1:8000', 'send it nothing new; what is open there goes on'],
        ['backends enable 10.0.0.1:8000', 'the end of that'],
        ['backends drain api/10.0.0.1:8000', 'where several backends have that address'],
      ]),
    )
  backends.command('list', { isDefault: true }).description('list the backends with their health').action(act(list))
  backends
    .command('drain')
    .description('send a backend nothing new, until it is enabled or the daemon stops; returns when no worker does')
    .argument('<name>', 'host:port, as `backends` lists it, or upstream/host:port')
    .addHelpText('after', formatExamples([['backends drain 10.0.0.1:8000 && ./update.sh', 'before an update']]))
    .action((name: string, ...rest: unknown[]) => act((context) => change(context, 'drain', name))(...rest))
  backends
    .command('enable')
    .description('send a drained backend requests again')
    .argument('<name>', 'host:port, as `backends` lists it, or upstream/host:port')
    .addHelpText('after', formatExamples([['backends enable 10.0.0.1:8000', 'after an update']]))
    .action((name: string, ...rest: unknown[]) => act((context) => change(context, 'enable', name))(...rest))
}

async function list(context: CommandContext): Promise<Outcome> {
  const backends = await ask(context, { command: 'backends' })
  return { exitCode: EXIT.done, document: backends, text: formatBackends(backends, Date.now()) }
}

async function change(context: CommandContext, command: 'drain' | 'enable', name: string): Promise<Outcome> {
  const [backend] = await ask(context, { command, name })
  const text = command === 'drain' ? 'takes no new requests' : `is ${backend?.state ?? 'up'}`
  return { exitCode: EXIT.done, document: backend, text: `${backend?.name ?? name} ${text}\n` }
}

function ask({ runDir }: CommandContext, request: BackendRequest): Promise<readonly BackendReport[]> {
  return askPrimary<readonly BackendReport[]>({ runDir, timeoutMs: TIMEOUT_MS }, request)
}
