import type { Command } from 'commander'
import type { Config } from '../config/config.ts'
import { configJsonSchema } from '../config/json-schema.ts'
import { loadConfig } from '../config/load.ts'
import { formatProblem } from '../config/problem-format.ts'
import type { Problem } from '../problem.ts'
import { act, type CommandContext, formatExamples } from './command.ts'
import { EXIT } from './exit-codes.ts'
import type { Outcome } from './outcome.ts'
import { formatCount } from './quantity.ts'
import { addServerFlags, pickOverrides, type ServerFlags } from './server-flags.ts'

interface CheckOptions extends ServerFlags {
  readonly schema?: boolean
}

export function addCheck(program: Command): void {
  addServerFlags(program.command('check [file]'))
    .description('look for every mistake in a configuration, without starting anything')
    .option('--schema', 'print the JSON Schema of the configuration')
    .addHelpText(
      'after',
      formatExamples([
        ['check', './config.yaml'],
        ['check site.yaml --json', '{ ok, problems }'],
        ['check --schema > schema.json', 'for editors'],
      ]),
    )
    .action((file: string | undefined, ...rest: unknown[]) =>
      act<CheckOptions>((context, options) =>
        options.schema ? printSchema() : check(file ?? context.configName, context, options),
      )(...rest),
    )
}

async function check(file: string, { env }: CommandContext, flags: ServerFlags): Promise<Outcome> {
  const loaded = await loadConfig(file, { env, overrides: pickOverrides(flags) })
  const { problems } = loaded
  const listed = problems.map((problem) => `${formatProblem(problem)}\n`).join('')
  if (!loaded.ok) {
    const text = `${listed}${file}: ${formatProblemCount(problems)}\n`
    return { exitCode: EXIT.failed, document: { ok: false, problems }, errorText: text }
  }
  return {
    exitCode: EXIT.done,
    document: { ok: true, problems },
    errorText: listed,
    text: `ok: ${file}: ${summarize(loaded.config, problems)}\n`,
  }
}

async function printSchema(): Promise<Outcome> {
  const document = configJsonSchema()
  return { exitCode: EXIT.done, document, text: `${JSON.stringify(document, undefined, 2)}\n` }
}

/** `2 errors, 1 warning`; '' where there is nothing to say. */
export function formatProblemCount(problems: readonly Problem[]): string {
  return (['error', 'warning', 'note'] as const)
    .map((severity) => ({ severity, count: problems.filter((problem) => problem.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => formatCount(count, severity))
    .join(', ')
}

function summarize({ routes, server, redirects, upstreams }: Config, problems: readonly Problem[]): string {
  const parts = [
    formatCount(routes.length, 'route'),
    ...(upstreams.length > 0 ? [formatCount(upstreams.length, 'upstream')] : []),
    ...(redirects.length > 0 ? [formatCount(redirects.length, 'redirect')] : []),
    `${server.listen.length} listen address${server.listen.length === 1 ? '' : 'es'}`,
    formatCount(server.workers, 'worker'),
    formatProblemCount(problems),
  ]
  return parts.filter((part) => part !== '').join(', ')
}
