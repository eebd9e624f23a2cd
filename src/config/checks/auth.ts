import { routePath } from '../backend-places.ts'
import type { KeyPath } from '../key-path.ts'
import type { Report } from '../report.ts'
import type { ForwardAuthSettings } from '../schema/auth.ts'
import type { RouteSettings } from '../schema/route.ts'

/** What no service that is asked may decide: the connection, where a message ends, and what the proxy says of the client. */
const DECIDED_FIELDS =
  /^(?:connection|content-length|expect|host|http2-settings|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|via|x-forwarded-.*|x-real-ip|x-request-id)$/i

/** What the schema cannot see of who is asked whether a client may come. */
export function checkAuth(routes: readonly (RouteSettings | undefined)[], report: Report): void {
  for (const [i, route] of routes.entries()) {
    const forward = route?.auth?.forward
    if (forward !== undefined) checkForward(forward, [...routePath(i), 'auth', 'forward'], report)
  }
}

function checkForward({ url, ssl, copy_headers }: ForwardAuthSettings, path: KeyPath, report: Report): void {
  if (ssl !== undefined && url.startsWith('http:')) {
    report.error([...path, 'ssl'], 'ssl has no meaning where the URL says http', {
      at: 'key',
      hint: 'write https in the URL, or leave ssl out',
    })
  }
  for (const [i, name] of copy_headers.entries()) {
    if (!DECIDED_FIELDS.test(name)) continue
    report.error([...path, 'copy_headers', i], `the header ${name} is decided by the proxy alone`)
  }
}
