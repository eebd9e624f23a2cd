import { Command, CommanderError } from 'commander'
import { addBackends } from './backends.ts'
import { addCheck } from './check.ts'
import { addGlobalOptions, formatExamples, printOutcome } from './command.ts'
import { addEcho } from './echo.ts'
import { EXIT } from './exit-codes.ts'
import { addHashPassword } from './hash-password.ts'
import { addLogs } from './logs.ts'
import { failureDocument } from './outcome.ts'
import { addPause, addResume } from './pause.ts'
import { addReload } from './reload.ts'
import { addRestart } from './restart.ts'
import { addRoutes } from './routes.ts'
import { addRun } from './run.ts'
import { addStart } from './start.ts'
import { addStatus } from './status.ts'
import { addStop } from './stop.ts'
import { readProgramVersion } from './version.ts'

const EXAMPLES = formatExamples([
  ['check', 'look for mistakes in ./config.yaml'],
  ['start -c site.yaml', 'run as a daemon'],
  ['reload', 'take changes of the configuration, dropping nothing'],
  ['stop', 'finish open requests, then end'],
])

const EXIT_CODES = `
Exit codes: 0 done, 1 could not start or bad configuration, 2 usage, 3 not running, 4 stopped by force.`

/** Runs one command line and sets the exit code; resolves when the command is over. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const json = argv.includes('--json')
  try {
    await createProgram(json).parseAsync(argv)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    const isAnswered = error.code === 'commander.helpDisplayed' || error.code === 'commander.version'
    if (isAnswered) return
    printOutcome({ exitCode: EXIT.usage, document: failureDocument(error.message.replace(/^error: /, '')) }, json)
  }
}

function createProgram(json: boolean): Command {
  const program = new Command('pyserve-ts')
    .description('Reverse proxy daemon')
    .version(readProgramVersion(), '-v, --version')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput(json ? { writeErr: () => {} } : {})
    .exitOverride()
  addGlobalOptions(program).addHelpText('after', `${EXAMPLES}\n${EXIT_CODES}`)
  addStart(program)
  addRun(program)
  addStop(program)
  addReload(program)
  addRestart(program)
  addStatus(program)
  addCheck(program)
  addRoutes(program)
  addBackends(program)
  addPause(program)
  addResume(program)
  addHashPassword(program)
  addLogs(program)
  addEcho(program)
  return program
}
