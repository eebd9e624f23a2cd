import { REASONS } from '../../reason.ts'
import { routePath } from '../backend-places.ts'
import { showValue } from '../issues.ts'
import type { KeyPath } from '../key-path.ts'
import { findNearest } from '../nearest.ts'
import type { ConfigParts } from '../parse.ts'
import type { Report } from '../report.ts'
import type { ErrorPagesSettings } from '../schema/error-pages.ts'

/** That of a client that has gone has no reader. */
const ANSWERED = Object.keys(REASONS).filter((reason) => reason !== 'client_gone')
const STATUS = /^[45](?:\d\d|xx)$/

/** What the schema cannot see of error pages: which errors there are. */
export function checkErrorPages({ server, routes }: ConfigParts, report: Report): void {
  checkKeys(server.error_pages, ['server', 'error_pages'], report)
  for (const [i, route] of routes.entries()) {
    if (route !== undefined) checkKeys(route.error_pages, [...routePath(i), 'error_pages'], report)
  }
}

function checkKeys(settings: ErrorPagesSettings, path: KeyPath, report: Report): void {
  const seen = new Map<string, string>()
  for (const key of Object.keys(settings)) {
    const error = key.toLowerCase()
    const earlier = seen.get(error)
    if (earlier !== undefined) {
      const place = report.describePlace([...path, earlier])
      report.error([...path, key], `the error ${key} has its pages on ${place} already`, { at: 'key' })
    }
    seen.set(error, earlier ?? key)
    if (STATUS.test(error) || ANSWERED.includes(error)) continue
    const near = findNearest(error, ANSWERED)
    report.error([...path, key], `there is no error ${showValue(key)}`, {
      expected: 'a status from 400 to 599, 4xx, 5xx, or a reason such as no_backend',
      hint: near && `did you mean "${near}"?`,
      at: 'key',
    })
  }
}
