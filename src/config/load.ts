import { resolve } from 'node:path'
import type { Problem } from '../problem.ts'
import { listBackendPlaces } from './backend-places.ts'
import { buildConfig } from './build.ts'
import type { Config } from './config.ts'
import { type FileContent, readContent, readContents } from './files.ts'
import { findUnresolvedHosts } from './hosts.ts'
import { showValue } from './issues.ts'
import { listNamedFiles, scanNamedFiles } from './named-files.ts'
import type { ConfigOverrides } from './overrides.ts'
import { type ConfigDraft, parseConfig } from './parse.ts'

const RESOLVE_MS = 2000

export interface LoadOptions {
  readonly env: NodeJS.ProcessEnv
  readonly overrides: ConfigOverrides
  /** False: backends' names are not looked up. True by default; takes at most 2 s. */
  readonly resolveHosts?: boolean
  /** What relative paths of the environment and the command line are relative to; the process's own by default. */
  readonly workingDirectory?: string
  /** For the validity of certificates; the clock's by default. */
  readonly nowMs?: number
}

export type LoadResult =
  | {
      readonly ok: true
      /** Frozen to the last object. */
      readonly config: Config
      /** Warnings and notes. */
      readonly problems: readonly Problem[]
      readonly watchFiles: readonly string[]
    }
  | {
      readonly ok: false
      /** At least one error. */
      readonly problems: readonly Problem[]
      /** Absolute: the file itself, and the certificates, keys and authorities that it names, as far as they are known. */
      readonly watchFiles: readonly string[]
    }

/** Reads and checks a configuration with every file that it names. Never rejects: what is wrong is in the problems. */
export async function loadConfig(file: string, options: LoadOptions): Promise<LoadResult> {
  const path = resolve(options.workingDirectory ?? process.cwd(), file)
  const text = decodeText(await readContent(path))
  if (!text.ok) return { ok: false, problems: [describeFile(file, text.reason)], watchFiles: [path] }
  const draft = parseConfig(text.text, file, options)
  const named = listNamedFiles(draft)
  const [contents, unresolved] = await Promise.all([
    readContents(named),
    options.resolveHosts === false ? undefined : findUnresolvedHosts(listHosts(draft), { timeoutMs: RESOLVE_MS }),
  ])
  if (unresolved !== undefined) reportUnresolved(draft, unresolved)
  const config = buildConfig(draft, contents, options.nowMs ?? Date.now())
  const problems = draft.report.list()
  if (config !== undefined) return { ok: true, config, problems, watchFiles: [...new Set([path, ...named])] }
  const scanned = scanNamedFiles(draft.given, draft.directory)
  return { ok: false, problems, watchFiles: [...new Set([path, ...named, ...scanned])] }
}

type Text = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }

function decodeText(content: FileContent): Text {
  if (!content.ok) return content
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(content.bytes) }
  } catch {
    return { ok: false, reason: 'is not a text in UTF-8' }
  }
}

function describeFile(file: string, reason: string): Problem {
  const expected = 'a readable YAML file'
  return {
    severity: 'error',
    file,
    line: 0,
    column: 0,
    sourceLine: '',
    message: `${file} ${reason}`,
    expected,
    hint: undefined,
  }
}

function listHosts({ parts }: ConfigDraft): string[] {
  if (parts === undefined) return []
  // Name servers of one's own may know names that the system does not.
  const isOurs = parts.server.name_servers.length > 0
  const places = listBackendPlaces(parts).filter(({ path }) => !isOurs || !path.includes('backends'))
  return places.flatMap(({ host }) => host ?? [])
}

/** A backend that cannot be found is down until it can: no reason not to start. */
function reportUnresolved({ parts, report }: ConfigDraft, unresolved: ReadonlyMap<string, string>): void {
  const left = new Map(unresolved)
  for (const { path, hostKey, host = '' } of parts === undefined ? [] : listBackendPlaces(parts)) {
    const reason = left.get(host)
    if (reason === undefined) continue
    left.delete(host)
    report.warning([...path, hostKey], `the backend ${showValue(host)} does not resolve: ${reason}`, {
      hint: 'requests to it fail until it does',
    })
  }
}
