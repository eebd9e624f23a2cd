import { type LookupAddress, lookup as lookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** getaddrinfo tells no time to live, so that a short one is taken for all names. */
const FRESH_MS = 5_000
/** How long addresses are used on while the resolver itself fails. */
const STALE_MS = 60_000

/** Finds every address of a name, in the order in which they are to be tried; calls back after it has returned. */
export type ResolveHost = (
  host: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void

type LookupCallback = Parameters<LookupFunction>[2]

export const resolveHost: ResolveHost = (host, callback) => lookupAddress(host, { all: true }, callback)

/** The addresses of one host: looked up once for all connections that are dialled within the same few seconds. */
export class AddressCache {
  readonly #resolve: ResolveHost
  readonly #nowMs: () => number
  #addresses: readonly LookupAddress[] = []
  #resolvedMs = Number.NEGATIVE_INFINITY
  #waiting: LookupCallback[] = []

  constructor(resolve: ResolveHost, nowMs: () => number = () => performance.now()) {
    this.#resolve = resolve
    this.#nowMs = nowMs
  }

  /** Always answers with all addresses. */
  readonly lookup: LookupFunction = (host, _options, callback) => {
    if (this.#isYounger(FRESH_MS)) {
      process.nextTick(callback, null, this.#addresses)
      return
    }
    this.#waiting.push(callback)
    if (this.#waiting.length === 1) this.#resolve(host, (error, addresses) => this.#settle(error, addresses))
  }

  #settle(error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]): void {
    const waiting = this.#waiting
    this.#waiting = []
    if (error === null) {
      this.#addresses = addresses
      this.#resolvedMs = this.#nowMs()
    }
    // A name that is gone is gone; a resolver that is gone says nothing about the name.
    const failure = error !== null && (error.code === 'ENOTFOUND' || !this.#isYounger(STALE_MS)) ? error : null
    for (const callback of waiting) callback(failure, failure === null ? [...this.#addresses] : [])
  }

  #isYounger(ms: number): boolean {
    return this.#nowMs() - this.#resolvedMs < ms
  }
}
