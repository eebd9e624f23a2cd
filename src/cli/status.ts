import type { Command } from 'commander'
import type { StatusReport } from '../ipc/control.ts'
import { act, type CommandContext, formatExamples } from './command.ts'
import { askPrimary, NotRunningError } from './control-client.ts'
import { EXIT } from './exit-codes.ts'
import type { Outcome } from './outcome.ts'
import { formatStatus } from './status-report.ts'

const TIMEOUT_MS = 5_000

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('show the instance, its workers, its traffic and what became of the last change')
    .addHelpText(
      'after',
      formatExamples([
        ['status', 'exit code 3 where it is not running'],
        ['status --json', 'the same for programs'],
      ]),
    )
    .action(act(showStatus))
}

/** Throws NotRunningError. */
export function askStatus({ runDir }: Pick<CommandContext, 'runDir'>): Promise<StatusReport> {
  return askPrimary<StatusReport>({ runDir, timeoutMs: TIMEOUT_MS }, { command: 'status' })
}

async function showStatus(context: CommandContext): Promise<Outcome> {
  try {
    const status = await askStatus(context)
    return { exitCode: EXIT.done, document: { running: true, ...status }, text: formatStatus(status, Date.now()) }
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error
    return { exitCode: EXIT.notRunning, document: { running: false }, text: `${error.message}\n` }
  }
}
