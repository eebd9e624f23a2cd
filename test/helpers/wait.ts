import { setTimeout as delay } from 'node:timers/promises'

export interface WaitOptions {
  /** What is waited for, for the message of the error. */
  readonly what: string | (() => string)
  /** 20 seconds by default. */
  readonly timeoutMs?: number
  readonly everyMs?: number
}

/** Resolves to the first value of `condition` that is neither false nor undefined; rejects with its last error, or none. */
export async function waitFor<T>(
  condition: () => T | false | undefined | Promise<T | false | undefined>,
  { what, timeoutMs = 20_000, everyMs = 20 }: WaitOptions,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs
  let cause: unknown
  do {
    try {
      const value = await condition()
      if (value !== false && value !== undefined) return value
      cause = undefined
    } catch (error) {
      cause = error
    }
    await delay(everyMs)
  } while (performance.now() < deadlineMs)
  throw new Error(`waited ${timeoutMs} ms in vain for ${typeof what === 'string' ? what : what()}`, { cause })
}
