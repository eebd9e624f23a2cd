import { routePath, upstreamPath } from '../backend-places.ts'
import { showValue } from '../issues.ts'
import type { KeyPath } from '../key-path.ts'
import type { ConfigParts } from '../parse.ts'
import type { Report } from '../report.ts'
import type { HealthCheckSettings } from '../schema/health.ts'
import { isFieldName } from '../schema/names.ts'
import type { RouteSettings } from '../schema/route.ts'

/** They mean something to a check that makes a request. */
const HTTP_KEYS = ['host', 'body'] as const
/** The check decides these itself. */
const OWN_FIELDS = new Set(['connection', 'content-length', 'expect', 'host', 'te', 'transfer-encoding', 'upgrade'])

/** What the schema cannot see of health checks: how their keys, and they and routes, go together. */
export function checkHealth({ routes, upstreams }: ConfigParts, report: Report): void {
  for (const [name, one] of upstreams ?? []) {
    if (one?.health_check !== undefined) checkOne(one.health_check, upstreamPath(name), report)
  }
  for (const [i, route] of routes.entries()) {
    if (route === undefined) continue
    checkUse(route, routePath(i), report)
    if (route.health_check !== undefined) checkOne(route.health_check, routePath(i), report)
  }
}

function checkUse(route: RouteSettings, path: KeyPath, report: Report): void {
  const answer = (['respond', 'redirect'] as const).find((key) => route[key] !== undefined)
  const key = (['health_check', 'passive_health'] as const).find((one) => route[one] !== undefined)
  if (answer === undefined || key === undefined) return
  report.error([...path, key], `a route with ${answer} has no backend whose health could be told`, { at: 'key' })
}

function checkOne(check: HealthCheckSettings, owner: KeyPath, report: Report): void {
  const path: KeyPath = [...owner, 'health_check']
  const { type, interval, timeout, headers } = check
  if (timeout !== undefined && timeout > interval) {
    report.error([...path, 'timeout'], `the timeout of ${timeout} ms is longer than the interval of ${interval} ms`, {
      expected: 'at most the interval: checks of one backend do not overlap',
    })
  }
  for (const name in headers) checkField(name, [...path, 'headers', name], report)
  if (type === 'http') return
  const unused = HTTP_KEYS.find((key) => check[key] !== undefined)
  if (unused === undefined) return
  report.error([...path, unused], `${unused} has no meaning for a check of type ${type}`, {
    at: 'key',
    hint: `leave ${unused} out, or the type: then a request is made`,
  })
}

function checkField(name: string, path: KeyPath, report: Report): void {
  if (!isFieldName(name)) {
    report.error(path, `invalid header name ${showValue(name)}`, { expected: 'letters, digits and hyphens', at: 'key' })
  } else if (OWN_FIELDS.has(name.toLowerCase())) {
    const hint = name.toLowerCase() === 'host' ? 'it has its own key: host' : undefined
    report.error(path, `the header ${name} is decided by the check`, { hint, at: 'key' })
  }
}
