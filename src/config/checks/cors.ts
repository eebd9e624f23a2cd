import { routePath } from '../backend-places.ts'
import type { Report } from '../report.ts'
import type { RouteSettings } from '../schema/route.ts'

/** What the schema cannot see of who may read responses. */
export function checkCors(routes: readonly (RouteSettings | undefined)[], report: Report): void {
  for (const [i, route] of routes.entries()) {
    if (route?.cors?.credentials !== true) continue
    const any = route.cors.origins.indexOf('*')
    if (any === -1) continue
    report.error([...routePath(i), 'cors', 'origins', any], 'no browser sends credentials where any origin may read', {
      expected: 'the origins that are trusted, or credentials: false',
    })
  }
}
