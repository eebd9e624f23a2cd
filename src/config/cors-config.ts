import type { CorsSettings } from './schema/cors.ts'

/** Which pages of other origins may read a route's responses (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export interface CorsConfig {
  /** As browsers write them, with `*.` for every name below; or `*` for any. */
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  /** Empty: whatever is asked for. */
  readonly headers: readonly string[]
  readonly exposeHeaders: readonly string[]
  /** Never with the origin `*`. */
  readonly credentials: boolean
  readonly maxAgeMs: number
}

const USUAL_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

export function buildCors(settings: CorsSettings, routeMethods: readonly string[]): CorsConfig {
  const { origins, methods, headers, expose, credentials, max_age } = settings
  const known = routeMethods.length > 0 ? routeMethods : USUAL_METHODS
  return {
    origins: [...new Set(origins)],
    methods: [...new Set(methods.length > 0 ? methods : known)],
    headers: [...new Set(headers)],
    exposeHeaders: [...new Set(expose)],
    credentials,
    maxAgeMs: max_age,
  }
}
