import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

/** Lookups occupy threads of the process, and cannot be called off. */
const AT_ONCE = 8

export interface HostLookup {
  /** For all of them together. */
  readonly timeoutMs: number
  /** Rejects where the name does not resolve; the system's own by default. */
  readonly lookup?: (host: string) => Promise<unknown>
}

/**
 * The hosts that do not resolve, with the reason for a person. Addresses are taken for granted, and so are names whose turn
 * did not come in time.
 */
export async function findUnresolvedHosts(
  hosts: Iterable<string>,
  { timeoutMs, lookup: resolve = (host) => lookup(host) }: HostLookup,
): Promise<ReadonlyMap<string, string>> {
  const names = [...new Set(hosts)].filter((host) => isIP(host) === 0)
  if (names.length === 0) return new Map()
  const failed = new Map<string, string>()
  const pending = new Set<string>()
  const waiting = names.values()
  let isOver = false

  const work = async () => {
    for (const host of waiting) {
      if (isOver) return
      pending.add(host)
      const reason = await resolve(host).then(
        () => undefined,
        (error: unknown) => describeFailure(error),
      )
      if (isOver) return
      pending.delete(host)
      if (reason !== undefined) failed.set(host, reason)
    }
  }

  const deadline = Promise.withResolvers<void>()
  const timer = setTimeout(deadline.resolve, timeoutMs)
  await Promise.race([Promise.all(Array.from({ length: AT_ONCE }, work)), deadline.promise])
  isOver = true
  clearTimeout(timer)
  for (const host of pending) failed.set(host, `no answer within ${timeoutMs / 1000} s`)
  return failed
}

function describeFailure(error: unknown): string {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException
  return code === 'ENOTFOUND' ? 'no such name' : `the lookup failed with ${code}`
}
