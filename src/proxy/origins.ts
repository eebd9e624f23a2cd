/** Which origins are meant. */
export interface OriginMatcher {
  /** Every one there is: an answer need not depend on it. */
  readonly isAny: boolean
  has(origin: string): boolean
}

const HOST = /^[a-z\d._-]+$/

/** `origins` as browsers write them, with `*.` for every name below; or `*`. */
export function compileOrigins(origins: readonly string[]): OriginMatcher {
  const exact = new Set(origins)
  const wildcards = origins.filter((origin) => origin.includes('://*.')).map((origin) => origin.split('*'))
  const isAny = exact.has('*')
  return {
    isAny,
    has(given) {
      if (isAny) return true
      const origin = given.toLowerCase()
      if (exact.has(origin)) return true
      return wildcards.some(([scheme = '', suffix = '']) => {
        if (!origin.startsWith(scheme) || !origin.endsWith(suffix)) return false
        return HOST.test(origin.slice(scheme.length, -suffix.length))
      })
    },
  }
}
