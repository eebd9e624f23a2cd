import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Launch, Site } from './site.ts'

const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.js')

export interface PyserveOptions {
  readonly engine: 'native' | 'http-proxy-3'
  /** 1 by default. */
  readonly workers?: number
  /** How many routes there are beside the one for everything: `/route-0`, `/route-1` … None by default. */
  readonly routes?: number
  /** Ports of backends for the route for everything, in place of one: with checks, and a limit that nobody meets. */
  readonly managed?: readonly number[]
}

/** pyserve-ts in the foreground, from `dist/`. */
export function launchPyserve(site: Site, options: PyserveOptions): Launch {
  return {
    command: process.execPath,
    args: pyserveArgs('run', site.dir),
    files: { 'config.yaml': pyserveConfig(site, options) },
  }
}

/** Arguments of Node for a command of the program on the instance of this directory. */
export function pyserveArgs(command: string, dir: string): string[] {
  return [cli, command, '-c', join(dir, 'config.yaml'), '--run-dir', runDirOf(dir)]
}

export function runDirOf(dir: string): string {
  return join(dir, 'run')
}

/** YAML. */
export function pyserveConfig(site: Site, { engine, workers = 1, routes = 0, managed }: PyserveOptions): string {
  const { dir, port, tlsPort, backendPort, webSocketPort, certFile, keyFile, accessLog } = site
  const backend = { host: '127.0.0.1', port: backendPort }
  const numbered = Array.from({ length: routes }, (_, index) => ({ path: `/route-${index}`, ...backend }))
  return stringify({
    server: {
      host: '127.0.0.1',
      port,
      backlog: 4096,
      workers,
      engine,
      reverse_proxy: [
        { path: '/', ...(managed === undefined ? backend : manage(managed)) },
        { path: '/ws', host: '127.0.0.1', port: webSocketPort, strip_path: false },
        ...numbered,
      ],
    },
    ssl: { enabled: true, port: tlsPort, cert_file: certFile, key_file: keyFile },
    logging: { console_output: false, log_file: join(dir, 'access.log'), access: accessLog },
  })
}

function manage(ports: readonly number[]): object {
  return {
    load_balancing: 'round_robin',
    backends: ports.map((port) => ({ host: '127.0.0.1', port })),
    health_check: { path: '/', interval: '1s' },
    passive_health: true,
    rate_limit: { requests: 1_000_000, per: '1s', key: 'ip' },
  }
}

/** Renames a new configuration over the one of a running instance. */
export function replaceConfig({ dir }: Site, text: string): void {
  const fresh = join(dir, 'config.yaml.new')
  writeFileSync(fresh, text)
  renameSync(fresh, join(dir, 'config.yaml'))
}
