import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { launchCaddy } from './caddy.ts'
import { launchHaproxy } from './haproxy.ts'
import { searchPath } from './lab.ts'
import type { LoadName } from './load.ts'
import { launchNginxProxy } from './nginx.ts'
import { launchHttpProxy3, launchUndici } from './node-proxies.ts'
import { launchPyserve } from './pyserve.ts'
import type { Launch, Site } from './site.ts'

export interface Contender {
  readonly name: string
  /** Undefined where it is Node, which is there. */
  readonly program?: Program
  /** Loads that it cannot take, each with the reason. */
  readonly cannot?: Partial<Record<LoadName, string>>
  launch(site: Site): Launch
}

export interface Program {
  readonly command: string
  /** Of Debian. */
  readonly package: string
  /** Makes it print its version. */
  readonly versionFlag: string
}

export const PROGRAMS = {
  nginx: { command: 'nginx', package: 'nginx', versionFlag: '-v' },
  haproxy: { command: 'haproxy', package: 'haproxy', versionFlag: '-v' },
  caddy: { command: 'caddy', package: 'caddy', versionFlag: 'version' },
  wrk: { command: 'wrk', package: 'wrk', versionFlag: '-v' },
  h2load: { command: 'h2load', package: 'nghttp2-client', versionFlag: '--version' },
} as const satisfies Record<string, Program>

/** Everything is measured against this one. */
export const BASELINE = 'nginx'
/** The one that the bars are about. */
export const SUBJECT = 'pyserve-ts'

export const CONTENDERS: readonly Contender[] = [
  { name: BASELINE, program: PROGRAMS.nginx, launch: launchNginxProxy },
  { name: 'haproxy', program: PROGRAMS.haproxy, launch: launchHaproxy },
  { name: 'caddy', program: PROGRAMS.caddy, launch: launchCaddy },
  { name: 'http-proxy-3', launch: launchHttpProxy3 },
  { name: 'undici', cannot: { websocket: 'it forwards no upgrade by itself' }, launch: launchUndici },
  { name: SUBJECT, launch: (site) => launchPyserve(site, { engine: 'native' }) },
  { name: `${SUBJECT}+http-proxy-3`, launch: (site) => launchPyserve(site, { engine: 'http-proxy-3' }) },
]

/** Why a program cannot be used here; undefined where it can. */
export function whyMissing(program: Program | undefined): string | undefined {
  if (program === undefined || isOnPath(program.command)) return undefined
  return `${program.command} is not installed (Debian: apt-get install ${program.package})`
}

function isOnPath(command: string): boolean {
  return searchPath()
    .split(delimiter)
    .some((dir) => {
      try {
        accessSync(join(dir, command), constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
