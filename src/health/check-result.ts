const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  // Whether it was reset or ended, Node has this code for both.
  ECONNRESET: 'the connection was closed',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name cannot be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
}

/** What one check came to. */
export type CheckResult = { readonly ok: true } | { readonly ok: false; readonly why: string }

/** Ends what is under way with a result. */
export type Conclude = (result: CheckResult) => void

export function failed(why: string): CheckResult {
  return { ok: false, why }
}

export function describeError(error: Error): string {
  const { code = '' } = error as NodeJS.ErrnoException
  return WORDS[code] ?? (error.message === '' ? code : error.message)
}
