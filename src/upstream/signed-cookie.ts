import { createHmac } from 'node:crypto'
import { findCookie } from '../cookie.ts'
import type { RequestHead } from '../exchange.ts'
import { type HeaderList, NO_HEADERS } from '../header-list.ts'

/** 128 bits in base64url. */
const VALUE_LENGTH = 22

export interface SignedCookieOptions {
  /** What the choices belong to: cookies of another scope mean nothing. */
  readonly scope: string
  readonly cookie: string
  readonly secret: string
}

interface Value {
  readonly text: string
  readonly fields: HeaderList
  readonly secureFields: HeaderList
}

/**
 * Leads a client back to what was chosen for it, by a cookie that is an HMAC over scope and choice: it tells nothing about
 * either, nobody can make one, and it is good in every worker and after a restart.
 */
export class SignedCookie<T> {
  readonly #cookie: string
  readonly #choices = new Map<string, T>()
  readonly #values = new Map<string, Value>()

  /** `choices` by keys that outlive reloads and restarts. */
  constructor(choices: Iterable<readonly [string, T]>, { scope, cookie, secret }: SignedCookieOptions) {
    this.#cookie = cookie
    for (const [key, choice] of choices) {
      const text = createHmac('sha256', secret).update(`${scope}\0${key}`).digest('base64url').slice(0, VALUE_LENGTH)
      const field = `${cookie}=${text}; Path=/; HttpOnly; SameSite=Lax`
      this.#choices.set(text, choice)
      this.#values.set(key, {
        text,
        fields: ['Set-Cookie', field],
        secureFields: ['Set-Cookie', `${field}; Secure`],
      })
    }
  }

  /** What was chosen for the client; undefined where it brings no cookie that was made here. */
  find(head: RequestHead): T | undefined {
    const text = findCookie(head.headers, this.#cookie)
    return text === undefined ? undefined : this.#choices.get(text)
  }

  /** What the response has to carry: the cookie, unless the client has it. */
  fieldsFor(key: string, head: RequestHead, isSecure: boolean): HeaderList {
    const value = this.#values.get(key)
    if (value === undefined || findCookie(head.headers, this.#cookie) === value.text) return NO_HEADERS
    return isSecure ? value.secureFields : value.fields
  }
}
