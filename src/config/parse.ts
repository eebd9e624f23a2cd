import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { checkAdmin } from './checks/admin.ts'
import { checkAuth } from './checks/auth.ts'
import { checkCors } from './checks/cors.ts'
import { checkErrorPages } from './checks/error-pages.ts'
import { reportExtras } from './checks/extras.ts'
import { checkHealth } from './checks/health.ts'
import { checkLimits } from './checks/limits.ts'
import { checkLocations } from './checks/locations.ts'
import { checkRoutes } from './checks/routes.ts'
import { checkServer } from './checks/server.ts'
import { checkTimeouts } from './checks/timeouts.ts'
import { checkUpstreams } from './checks/upstreams.ts'
import { flattenIssues, type KeyIssue, reportIssue } from './issues.ts'
import { formatKeyPath, isMapValue, type KeyPath, startsWithPath, valueAt } from './key-path.ts'
import {
  applyOverlays,
  type ConfigOverrides,
  type Overlay,
  readCommandLine,
  readEnvironment,
  replaceAt,
} from './overrides.ts'
import { createReport, type Report } from './report.ts'
import { type AdminSettings, adminSchema } from './schema/admin.ts'
import { type UpstreamSettings, upstreamSchema } from './schema/backend.ts'
import { fileSchema } from './schema/file.ts'
import { type LoggingSettings, loggingSchema } from './schema/logging.ts'
import { type RouteSettings, routeSchema } from './schema/route.ts'
import { type ServerSettings, serverSchema } from './schema/server.ts'
import { type SslSettings, sslSchema } from './schema/ssl.ts'
import { parseYamlSource, type YamlSource } from './yaml-source.ts'

export interface ParseOptions {
  readonly env: NodeJS.ProcessEnv
  readonly overrides: ConfigOverrides
  /** What relative paths of the environment and the command line are relative to; the process's own by default. */
  readonly workingDirectory?: string
}

/** What a text says, before any file that it names is read. */
export interface ConfigDraft {
  /** Absolute. */
  readonly file: string
  /** What relative paths of the file are relative to. */
  readonly directory: string
  /** Values as they were given, from all sources. */
  readonly given: unknown
  /** Undefined where the text is no YAML. */
  readonly parts: ConfigParts | undefined
  readonly report: Report
}

/** The settings that are sound: a key with a mistake in it has its default here, and a route with one is undefined. */
export interface ConfigParts {
  readonly server: ServerSettings
  readonly routes: readonly (RouteSettings | undefined)[]
  /** By name; a group with a mistake is undefined. Undefined where nothing can be said about any. */
  readonly upstreams: ReadonlyMap<string, UpstreamSettings | undefined> | undefined
  readonly ssl: SslSettings
  readonly logging: LoggingSettings
  readonly admin: AdminSettings
  /** `ssl.port` has a mistake in it, or is within something that has. */
  isBroken(key: 'server.port' | 'server.redis' | `ssl.${keyof SslSettings}`): boolean
}

type FileSettings = z.output<typeof fileSchema>

const ROUTES: KeyPath = ['server', 'reverse_proxy']
const UPSTREAMS: KeyPath = ['server', 'upstreams']

/** Touches no disk and never throws: every mistake of the text is in the report. */
export function parseConfig(text: string, file: string, options: ParseOptions): ConfigDraft {
  const source = parseYamlSource(text, file, options.env)
  const { overlays, report } = overlay(source, file, options)
  const path = resolve(options.workingDirectory ?? process.cwd(), file)
  const draft = { file: path, directory: dirname(path), report }
  if (source.value === undefined) return { ...draft, given: undefined, parts: undefined }
  const { given, parts } = readParts(source, overlays, report)
  checkServer(parts, report)
  checkAdmin(parts, report)
  checkRoutes(parts.routes, report)
  checkUpstreams(parts, report)
  checkHealth(parts, report)
  checkAuth(parts.routes, report)
  checkCors(parts.routes, report)
  checkErrorPages(parts, report)
  checkLocations(parts, report)
  checkLimits(parts.routes, parts.server, parts.isBroken('server.redis'), report)
  checkTimeouts(parts.routes, given, report)
  reportExtras(given, report)
  return { ...draft, given, parts }
}

function overlay(source: YamlSource, file: string, { env, overrides, workingDirectory = process.cwd() }: ParseOptions) {
  const fileRoutes = valueAt(source.value, ROUTES)
  const environment = readEnvironment(env, workingDirectory, source.variables)
  const commandLine = readCommandLine(overrides, workingDirectory, Array.isArray(fileRoutes) ? fileRoutes.length : 0)
  const overlays: readonly Overlay[] = [...environment.overlays, ...commandLine.overlays]
  const report = createReport(file, source, overlays)
  for (const problem of [...environment.problems, ...commandLine.problems]) report.add(problem)
  return { overlays, report }
}

function readParts(source: YamlSource, overlays: readonly Overlay[], report: Report) {
  const root = applyOverlays(source.value ?? {}, overlays)
  const first = readSettings(root)
  const ofFile = first.issues.filter(({ path }) => !overlays.some((one) => startsWithPath(path, one.path)))
  const given = takeOtherReadings(root, ofFile, source)
  const { settings, issues } = given === root ? first : readSettings(given)
  const isSilent = (path: KeyPath) => source.unreadable.some((one) => startsWithPath(path, one))
  for (const issue of issues) if (!isSilent(issue.path)) reportIssue(issue, given, report)
  const broken = [...source.unreadable, ...issues.map(pathOfIssue)]
  if (settings === undefined || broken.length > 0) return { given, parts: readSoundParts(given, broken) }
  const { server, ssl, logging, admin } = settings
  const { reverse_proxy: routes } = server
  const upstreams = new Map(Object.entries(server.upstreams))
  return { given, parts: { server, routes, upstreams, ssl, logging, admin, isBroken: () => false } }
}

function readSettings(root: unknown): { settings: FileSettings | undefined; issues: readonly KeyIssue[] } {
  const { data, error } = fileSchema.safeParse(root)
  return { settings: data, issues: error === undefined ? [] : flattenIssues(error.issues) }
}

/** A whole reference that does not do as what it looks like may do as the other: `name: ${BUILD}` with 42 is a text. */
function takeOtherReadings(root: unknown, issues: readonly KeyIssue[], { otherReadings }: YamlSource): unknown {
  if (otherReadings.size === 0) return root
  return issues.reduce((value, { path }) => {
    const other = otherReadings.get(formatKeyPath(path))
    return other === undefined ? value : replaceAt(value, path, other.value)
  }, root)
}

function pathOfIssue(issue: KeyIssue): KeyPath {
  return issue.kind === 'unknown' ? [...issue.path, issue.key] : issue.path
}

/** What is sound by itself is checked further, so that one mistake does not hide another. */
function readSoundParts(given: unknown, brokenPaths: readonly KeyPath[]): ConfigParts {
  const broken = new Set(brokenPaths.map((path) => formatKeyPath(path.slice(0, 2))))
  const brokenRoutes = new Set(brokenPaths.filter((path) => startsWithPath(path, ROUTES)).map((path) => path[2]))
  const routes = valueAt(given, ROUTES)
  return {
    server: readSoundPart(serverSchema, given, 'server', broken),
    ssl: readSoundPart(sslSchema, given, 'ssl', broken),
    logging: readSoundPart(loggingSchema, given, 'logging', broken),
    admin: readSoundPart(adminSchema, given, 'admin', broken),
    routes: Array.isArray(routes)
      ? routes.map((route, i) => (brokenRoutes.has(i) ? undefined : routeSchema.safeParse(route).data))
      : [],
    upstreams: readSoundUpstreams(given, brokenPaths),
    isBroken: (key) => broken.has('') || broken.has(key.split('.')[0] ?? '') || broken.has(key),
  }
}

function readSoundUpstreams(given: unknown, brokenPaths: readonly KeyPath[]): ConfigParts['upstreams'] {
  const broken = brokenPaths.filter((path) => startsWithPath(path, UPSTREAMS) || startsWithPath(UPSTREAMS, path))
  if (broken.some((path) => path.length <= UPSTREAMS.length)) return undefined
  const names = new Set(broken.map((path) => path[UPSTREAMS.length]))
  const upstreams = valueAt(given, UPSTREAMS) ?? {}
  if (!isMapValue(upstreams)) return undefined
  return new Map(
    Object.entries(upstreams).map(([name, one]) => [
      name,
      names.has(name) ? undefined : upstreamSchema.safeParse(one).data,
    ]),
  )
}

function readSoundPart<T>(schema: z.ZodType<T>, given: unknown, name: string, broken: ReadonlySet<string>): T {
  const value = valueAt(given, [name])
  const entries = isMapValue(value) ? Object.entries(value) : []
  const sound = entries.filter(([key]) => !broken.has(formatKeyPath([name, key])))
  return schema.safeParse(Object.fromEntries(sound)).data ?? schema.parse({})
}
