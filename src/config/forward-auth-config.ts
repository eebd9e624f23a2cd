import { authServicePlace } from './backend-places.ts'
import type { BackendConfig } from './config.ts'
import type { KeyPath } from './key-path.ts'
import type { AuthSettings } from './schema/auth.ts'
import { type BuildSources, buildBackend } from './upstream-build.ts'

/** A service that is asked about every request of a route. */
export interface ForwardAuthConfig {
  readonly backend: BackendConfig
  /** What is asked for there: path and query. */
  readonly path: string
  /** Fields of its answer that go to the backend. */
  readonly copyHeaders: readonly string[]
  /** For its whole answer. */
  readonly timeoutMs: number
}

/** `route`: the path of its map. Undefined where a route asks nobody. */
export function buildForwardAuth(
  auth: AuthSettings | undefined,
  route: KeyPath,
  sources: BuildSources,
): ForwardAuthConfig | undefined {
  const forward = auth?.forward
  if (forward === undefined) return undefined
  const place = authServicePlace(forward, route)
  const { pathname, search } = new URL(forward.url)
  return {
    backend: buildBackend(place, place.path, sources),
    path: pathname + search,
    copyHeaders: [...new Map(forward.copy_headers.map((name) => [name.toLowerCase(), name])).values()],
    timeoutMs: forward.timeout,
  }
}
