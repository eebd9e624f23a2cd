/** One finished exchange. Bytes are body bytes; times are milliseconds from the request head; undefined: did not happen. */
export interface AccessRecord {
  readonly requestId: string
  /** The client's address after trusted proxies are taken into account. */
  readonly client: string
  readonly method: string
  readonly host: string
  /** As it came, query included. */
  readonly target: string
  readonly protocol: string
  readonly route: string | undefined
  /** `host:port` of the last attempt. */
  readonly backend: string | undefined
  /** How many backends were asked. */
  readonly attempts: number
  readonly status: number
  readonly reason: string | undefined
  /** The reason with which a limit on trial (`dry_run`) would have refused it. */
  readonly wouldRefuse: string | undefined
  readonly bytesIn: number
  readonly bytesOut: number
  readonly totalMs: number
  readonly connectMs: number | undefined
  readonly firstByteMs: number | undefined
  /** An upgrade was accepted: the record is of a whole tunnel. */
  readonly tunnel: boolean
}

export interface AccessLog {
  write(record: AccessRecord): void
}
