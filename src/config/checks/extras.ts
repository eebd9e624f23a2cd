import { type KeyPath, valueAt } from '../key-path.ts'
import type { Report } from '../report.ts'

const UNSERVED: readonly KeyPath[] = [
  ['http', 'static_dir'],
  ['http', 'templates_dir'],
  ['extensions'],
  ['server', 'default_root'],
]

const CERTIFICATE_KEYS: readonly KeyPath[] = [
  ['ssl', 'cert_file'],
  ['ssl', 'key_file'],
  ['ssl', 'certificates'],
]

/** What PyServe knows and a reverse proxy does not do. */
export function reportExtras(given: unknown, report: Report): void {
  for (const path of UNSERVED) {
    if (isGiven(given, path)) {
      report.warning(path, `${path.join('.')} has no effect: a reverse proxy serves no files of its own`, { at: 'key' })
    }
  }
  const unused = CERTIFICATE_KEYS.find((path) => isGiven(given, path))
  if (unused !== undefined && !isGiven(given, ['ssl', 'enabled'])) {
    report.warning(unused, 'the certificate is not used: ssl.enabled is false unless it is set', { at: 'key' })
  }
  const routes = valueAt(given, ['server', 'reverse_proxy'])
  const paths = Array.isArray(routes) ? routes.map((_, i): KeyPath => ['server', 'reverse_proxy', i, 'websocket']) : []
  const [first] = paths.filter((path) => isGiven(given, path))
  if (first !== undefined) {
    report.note(first, 'websocket has no effect: every route passes WebSocket connections', { at: 'key' })
  }
}

function isGiven(given: unknown, path: KeyPath): boolean {
  return (valueAt(given, path) ?? undefined) !== undefined
}
