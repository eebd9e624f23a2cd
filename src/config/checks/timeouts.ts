import { routePath } from '../backend-places.ts'
import { type KeyPath, valueAt } from '../key-path.ts'
import type { Report } from '../report.ts'
import type { RouteSettings } from '../schema/route.ts'

const PARTS = ['connect', 'response', 'idle'] as const

/** A limit for a part of an exchange that the limit for the whole would always forestall. Only what the file says counts. */
export function checkTimeouts(routes: readonly (RouteSettings | undefined)[], given: unknown, report: Report): void {
  for (const [i, route] of routes.entries()) {
    const totalMs = route?.timeouts.total ?? 0
    if (route === undefined || totalMs === 0) continue
    const path = routePath(i)
    for (const part of PARTS) {
      check(`timeouts.${part}`, route.timeouts[part], [...path, 'timeouts', part], totalMs)
    }
    check('queue.timeout', route.queue?.timeout ?? 0, [...path, 'queue', 'timeout'], totalMs)
  }

  function check(name: string, partMs: number, path: KeyPath, totalMs: number): void {
    if (partMs <= totalMs || valueAt(given, path) === undefined) return
    report.error(path, `${name} of ${partMs} ms is longer than timeouts.total of ${totalMs} ms`, {
      expected: 'at most the time for the whole exchange',
    })
  }
}
