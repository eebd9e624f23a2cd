import { showValue } from '../issues.ts'
import type { KeyPath } from '../key-path.ts'
import type { ConfigParts } from '../parse.ts'
import type { Report } from '../report.ts'
import type { ServerSettings } from '../schema/server.ts'
import { exactPath } from '../schema/url-path.ts'

interface RedirectEntry {
  readonly path: KeyPath
  readonly from: string
  readonly to: string
}

/** What the schema cannot see of `server` and `ssl`: how keys go together. */
export function checkServer(parts: ConfigParts, report: Report): void {
  checkHosts(parts.server, report)
  checkRedirects(parts.server, report)
  if (!parts.isBroken('ssl.enabled') && !parts.isBroken('ssl.port')) checkSslPort(parts, report)
}

/** PyServe's redirect_instructions, from either of the two shapes that they may have. */
export function listRedirects(setting: ServerSettings['redirect_instructions']): RedirectEntry[] {
  const base: KeyPath = ['server', 'redirect_instructions']
  const groups = Array.isArray(setting)
    ? setting.map((entries, i) => ({ path: [...base, i], entries }))
    : [{ path: base, entries: setting }]
  return groups.flatMap(({ path, entries }) =>
    Object.entries(entries).map(([from, to]) => ({ path: [...path, from], from, to })),
  )
}

/** The hosts to listen on, from either of the two shapes that the key may have. */
export function listHosts({ host }: ServerSettings): readonly string[] {
  return typeof host === 'string' ? [host] : host
}

function checkHosts(server: ServerSettings, report: Report): void {
  const seen = new Set<string>()
  for (const [i, host] of listHosts(server).entries()) {
    if (seen.has(host)) report.error(['server', 'host', i], `the address ${host} stands in the list twice`)
    seen.add(host)
  }
}

function checkRedirects(server: ServerSettings, report: Report): void {
  const places = new Map<string, KeyPath>()
  for (const { path, from, to } of listRedirects(server.redirect_instructions)) {
    const exact = exactPath(from)
    if (typeof exact !== 'string') {
      const { expected, hint } = exact
      report.error(path, `invalid path ${showValue(from)} in server.redirect_instructions`, {
        expected,
        hint,
        at: 'key',
      })
      continue
    }
    if (from === to) report.error(path, `${showValue(from)} is redirected to itself`)
    const earlier = places.get(exact)
    if (earlier === undefined) places.set(exact, path)
    else
      report.error(path, `${showValue(from)} is redirected on ${report.describePlace(earlier)} already`, { at: 'key' })
  }
}

function checkSslPort({ server, ssl, isBroken }: ConfigParts, report: Report): void {
  const isSame = ssl.enabled && ssl.port !== undefined && ssl.port !== 0 && ssl.port === server.port
  if (isSame && !isBroken('server.port')) {
    report.error(['ssl', 'port'], `ssl.port ${ssl.port} is server.port too`, {
      expected: 'a port of its own, or none: then server.port speaks TLS',
    })
  }
  if (!ssl.redirect_http) return
  const path: KeyPath = ['ssl', 'redirect_http']
  if (!ssl.enabled) report.error(path, 'ssl.redirect_http leads nowhere while ssl.enabled is false')
  else if (ssl.port === undefined) {
    report.error(path, 'ssl.redirect_http needs ssl.port: without it there is no plain HTTP to redirect')
  } else if (ssl.port === 0) report.error(path, 'ssl.redirect_http needs a fixed ssl.port, not any free one')
}
