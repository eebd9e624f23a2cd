/** Several groups of backends that share the requests of one route. */
export interface SplitConfig {
  /** At least two; at least one has a weight. */
  readonly parts: readonly SplitPart[]
  readonly by: SplitRule
}

export interface SplitPart {
  /** A name of `Config.upstreams`. */
  readonly upstream: string
  /** Its share of the requests; 0: none. */
  readonly weight: number
}

/** What decides where a request goes. */
export type SplitRule =
  | { readonly kind: 'random' }
  /** The same for one value; lower case. */
  | { readonly kind: 'header'; readonly header: string }
  /** Chance at first, and then the cookie that the client was given. */
  | { readonly kind: 'cookie'; readonly cookie: string; readonly secret: string | undefined }
