import type { Command } from 'commander'
import type { ReloadReport } from '../ipc/control.ts'
import { act, type CommandContext, formatExamples } from './command.ts'
import { askPrimary } from './control-client.ts'
import { EXIT } from './exit-codes.ts'
import type { Outcome } from './outcome.ts'
import { formatReload } from './reload-report.ts'

export function addReload(program: Command): void {
  program
    .command('reload')
    .description('take changes of the configuration and of certificates, dropping no connection')
    .addHelpText(
      'after',
      formatExamples([
        ['reload', 'the instance of ./config.yaml'],
        ['reload -c site.yaml --json', 'what changed, as JSON'],
      ]),
    )
    .action(act((context) => changeState(context, 'reload')))
}

/** Exit code 1, with the reasons, where the old state was kept. */
export async function changeState({ runDir }: CommandContext, command: 'reload' | 'restart'): Promise<Outcome> {
  // A roll takes as long as its drains; it ends by itself.
  const report = await askPrimary<ReloadReport>({ runDir, timeoutMs: 0 }, { command })
  const text = formatReload(report)
  return report.ok
    ? { exitCode: EXIT.done, document: report, text }
    : { exitCode: EXIT.failed, document: report, errorText: text }
}
