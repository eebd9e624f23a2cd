import type { Command } from 'commander'
import type { RouteReport } from '../ipc/control.ts'
import { act, type CommandContext, formatExamples } from './command.ts'
import { askPrimary } from './control-client.ts'
import { EXIT } from './exit-codes.ts'
import type { Outcome } from './outcome.ts'
import { formatRoutes } from './status-report.ts'

const TIMEOUT_MS = 5_000

export function addRoutes(program: Command): void {
  program
    .command('routes')
    .description('list the routes that are being served')
    .addHelpText('after', formatExamples([['routes --json', 'the same for programs']]))
    .action(act(showRoutes))
}

async function showRoutes({ runDir }: CommandContext): Promise<Outcome> {
  const target = { runDir, timeoutMs: TIMEOUT_MS }
  const routes = await askPrimary<readonly RouteReport[]>(target, { command: 'routes' })
  return { exitCode: EXIT.done, document: routes, text: formatRoutes(routes) }
}
