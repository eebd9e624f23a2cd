import type { AuthSettings } from './schema/auth.ts'

export interface BasicAuthConfig {
  /** At least one. */
  readonly users: readonly { readonly name: string; readonly hash: string }[]
  readonly realm: string
}

/** Undefined where a route asks nobody for a password. */
export function buildBasicAuth(auth: AuthSettings | undefined): BasicAuthConfig | undefined {
  const basic = auth?.basic
  return basic && { users: Object.entries(basic.users).map(([name, hash]) => ({ name, hash })), realm: basic.realm }
}
