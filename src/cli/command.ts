import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { formatProblem } from '../config/problem-format.ts'
import { EXIT } from './exit-codes.ts'
import { CommandError, failureDocument, type Outcome } from './outcome.ts'
import { locateRunDir, type RunDir } from './run-dir.ts'

const DEFAULT_CONFIG = 'config.yaml'

/** What every command is given. */
export interface CommandContext {
  /** Absolute. */
  readonly configFile: string
  /** As it was given, for messages. */
  readonly configName: string
  readonly runDir: RunDir
  readonly json: boolean
  readonly env: NodeJS.ProcessEnv
}

interface GlobalOptions {
  readonly config?: string
  readonly runDir?: string
  readonly json?: boolean
}

type Handler<Options> = (context: CommandContext, options: Options) => Promise<Outcome>

/** The options that are taken before and after every command's name. */
export function addGlobalOptions(program: Command): Command {
  return program
    .option('-c, --config <file>', `configuration file (default: ./${DEFAULT_CONFIG})`)
    .option('--run-dir <dir>', 'where the control socket and the pid file are (default: by configuration file)')
    .option('--json', 'print one JSON document')
}

/** The action of a command: runs it and prints what it came to. */
export function act<Options>(handler: Handler<Options>): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const command = args.at(-1) as Command
    const options = command.optsWithGlobals() as GlobalOptions & Options
    const json = options.json === true
    try {
      printOutcome(await handler(createContext(options), options), json)
    } catch (error) {
      printOutcome(describeError(error), json)
    }
  }
}

export function printOutcome({ exitCode, document, text, errorText }: Outcome, json: boolean): void {
  process.exitCode = exitCode
  // A reader that has gone, such as `head`, has seen enough.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  if (json) {
    if (document !== undefined) process.stdout.write(`${JSON.stringify(document)}\n`)
    return
  }
  if (errorText) process.stderr.write(errorText)
  if (text) process.stdout.write(text)
}

export function describeError(error: unknown): Outcome {
  if (!(error instanceof CommandError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { exitCode: EXIT.failed, document: failureDocument(text), errorText: `${text}\n` }
  }
  const { exitCode, message, problems, fields } = error
  const lines = [...problems.map(formatProblem), `error: ${message}`]
  return {
    exitCode,
    document: { ...failureDocument(message, problems), ...fields },
    errorText: `${lines.join('\n')}\n`,
  }
}

/** The examples at the end of a command's help. */
export function formatExamples(examples: readonly (readonly [command: string, meaning: string])[]): string {
  const width = Math.max(...examples.map(([command]) => command.length))
  const lines = examples.map(([command, meaning]) => `  $ pyserve-ts ${command.padEnd(width)}  # ${meaning}`)
  return `\nExamples:\n${lines.join('\n')}`
}

function createContext({ config, runDir, json }: GlobalOptions): CommandContext {
  const configName = config ?? DEFAULT_CONFIG
  const configFile = resolve(configName)
  const source = { configFile, wanted: runDir, env: process.env, uid: process.getuid?.(), tmpDir: tmpdir() }
  return { configFile, configName, runDir: locateRunDir(source), json: json === true, env: process.env }
}
