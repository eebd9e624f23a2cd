import type { Command } from 'commander'
import { act, formatExamples } from './command.ts'
import { changeState } from './reload.ts'

export function addRestart(program: Command): void {
  program
    .command('restart')
    .description('replace the workers one by one, each new one ready before the old one drains')
    .addHelpText('after', formatExamples([['restart', 'the configuration is read anew as well']]))
    .action(act((context) => changeState(context, 'restart')))
}
