import { resolve } from 'node:path'
import type { Problem } from '../problem.ts'
import { isMapValue, type KeyPath } from './key-path.ts'
import { findNearest } from './nearest.ts'
import { readPlainScalar } from './yaml-values.ts'

/** From the command line; each wins over the environment and the file. */
export interface ConfigOverrides {
  readonly host?: string | undefined
  readonly port?: string | number | undefined
  /** Log level DEBUG. */
  readonly debug?: boolean | undefined
  readonly ssl?: boolean | undefined
  /** Relative to the working directory, as the key is. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** `host:port/path`: one more route. The port is 80, the path `/` where it is left out. */
  readonly proxy?: string | readonly string[] | undefined
}

/** A value from outside that takes the place of one in the file. */
export interface Overlay {
  /** The variable or flag: problems name it instead of the file. */
  readonly origin: string
  readonly path: KeyPath
  readonly value: unknown
}

export interface Overlays {
  /** Later ones win. */
  readonly overlays: readonly Overlay[]
  readonly problems: readonly Problem[]
}

interface Variable {
  readonly path: KeyPath
  readonly isFile?: true
}

const VARIABLES: Readonly<Record<string, Variable>> = {
  PYSERVE_HOST: { path: ['server', 'host'] },
  PYSERVE_PORT: { path: ['server', 'port'] },
  PYSERVE_WORKERS: { path: ['server', 'workers'] },
  PYSERVE_LOG_LEVEL: { path: ['logging', 'level'] },
  PYSERVE_LOG_FILE: { path: ['logging', 'log_file'], isFile: true },
  PYSERVE_SSL_ENABLED: { path: ['ssl', 'enabled'] },
  PYSERVE_SSL_CERT: { path: ['ssl', 'cert_file'], isFile: true },
  PYSERVE_SSL_KEY: { path: ['ssl', 'key_file'], isFile: true },
}

const UNSERVED_VARIABLES = ['PYSERVE_STATIC_DIR', 'PYSERVE_TEMPLATES_DIR']

/** Read by other parts of the program; Kubernetes sets the second kind for a service of that name. */
const FOREIGN_VARIABLES = /^PYSERVE_(?:RUN_DIR$|TS_|SERVICE_|PORT_\d)/

const PROXY = /^(\[[^\]]+\]|[^:/[\]]+)(?::(\d+))?(\/.*)?$/

/** `named` are the variables that the file itself refers to. */
export function readEnvironment(env: NodeJS.ProcessEnv, directory: string, named: ReadonlySet<string>): Overlays {
  const overlays: Overlay[] = []
  const problems: Problem[] = []
  for (const [name, text = ''] of Object.entries(env)) {
    if (!name.startsWith('PYSERVE_') || text === '' || FOREIGN_VARIABLES.test(name)) continue
    const variable = VARIABLES[name]
    if (variable === undefined) {
      if (!named.has(name)) problems.push(describeUnused(name))
    } else if (name === 'PYSERVE_PORT' && text.startsWith('tcp://')) {
      problems.push(describe('warning', name, `${name} is left alone: it is what Kubernetes sets for a service`))
    } else {
      overlays.push({ origin: name, path: variable.path, value: readVariable(text, variable, directory) })
    }
  }
  return { overlays, problems }
}

/** `routeCount` is the number of routes in the file. */
export function readCommandLine(overrides: ConfigOverrides, directory: string, routeCount: number): Overlays {
  const { host, port, debug, ssl, cert, key, proxy } = overrides
  const overlays: Overlay[] = []
  const set = (origin: string, path: KeyPath, value: unknown) => overlays.push({ origin, path, value })
  if (host !== undefined) set('--host', ['server', 'host'], host)
  if (port !== undefined) set('--port', ['server', 'port'], typeof port === 'string' ? readPlainScalar(port) : port)
  if (debug === true) set('--debug', ['logging', 'level'], 'DEBUG')
  if (ssl === true) set('--ssl', ['ssl', 'enabled'], true)
  if (cert !== undefined) set('--cert', ['ssl', 'cert_file'], resolve(directory, cert))
  if (key !== undefined) set('--key', ['ssl', 'key_file'], resolve(directory, key))
  const problems: Problem[] = []
  const proxies = typeof proxy === 'string' ? [proxy] : (proxy ?? [])
  let index = routeCount
  for (const text of proxies) {
    const route = readProxy(text)
    if (route !== undefined) set('--proxy', ['server', 'reverse_proxy', index++], route)
    else problems.push(describe('error', '--proxy', `invalid value ${JSON.stringify(text)}`, 'host:port/path'))
  }
  return { overlays, problems }
}

/** Puts the values in their places; the result shares with `root` what was left alone. */
export function applyOverlays(root: unknown, overlays: readonly Overlay[]): unknown {
  return overlays.reduce((value, overlay) => replaceAt(value, overlay.path, overlay.value), root)
}

/** A value that stands in the way of a path stays: it is a mistake of its own. */
export function replaceAt(root: unknown, path: KeyPath, value: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return value
  if (typeof step === 'number') {
    const items = root ?? []
    if (!Array.isArray(items)) return root
    const copy = [...items]
    copy[step] = replaceAt(items[step], rest, value)
    return copy
  }
  const entries = root ?? {}
  return isMapValue(entries) ? { ...entries, [step]: replaceAt(entries[step], rest, value) } : root
}

function readVariable(text: string, { path, isFile }: Variable, directory: string): unknown {
  if (isFile === true) return resolve(directory, text)
  if (path[0] === 'ssl' && /^[01]$/.test(text)) return text === '1'
  return path[1] === 'host' ? text : readPlainScalar(text)
}

function readProxy(text: string): Record<string, unknown> | undefined {
  const [, host, port = '80', path = '/'] = PROXY.exec(text) ?? []
  return host === undefined ? undefined : { host, port: Number(port), path }
}

function describeUnused(name: string): Problem {
  if (UNSERVED_VARIABLES.includes(name)) {
    return describe('warning', name, `${name} has no effect: a reverse proxy serves no files of its own`)
  }
  const near = findNearest(name, Object.keys(VARIABLES))
  return describe('warning', name, `unknown variable ${name}`, undefined, near && `did you mean "${near}"?`)
}

function describe(
  severity: Problem['severity'],
  file: string,
  message: string,
  expected?: string,
  hint?: string,
): Problem {
  return { severity, file, line: 0, column: 0, sourceLine: '', message, expected, hint }
}
