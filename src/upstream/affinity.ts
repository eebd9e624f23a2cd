import { createHmac } from 'node:crypto'
import { findCookie } from '../cookie.ts'
import type { RequestHead } from '../exchange.ts'
import { type HeaderList, NO_HEADERS } from '../header-list.ts'
import type { Backend } from './backend.ts'

/** 128 bits in base64url. */
const VALUE_LENGTH = 22

export interface AffinityOptions {
  readonly upstream: string
  readonly cookie: string
  readonly secret: string
}

interface Lead {
  readonly value: string
  readonly fields: HeaderList
  readonly secureFields: HeaderList
}

/**
 * Leads a client back to the backend that it had, by a cookie that is an HMAC over upstream and backend: it tells nothing
 * about either, nobody can make one, and it is good in every worker and after a restart.
 */
export class Affinity {
  readonly #cookie: string
  readonly #byValue = new Map<string, Backend>()
  readonly #byKey = new Map<string, Lead>()

  constructor(backends: readonly Backend[], { upstream, cookie, secret }: AffinityOptions) {
    this.#cookie = cookie
    for (const backend of backends) {
      const digest = createHmac('sha256', secret).update(`${upstream}\0${backend.key}`).digest('base64url')
      const value = digest.slice(0, VALUE_LENGTH)
      const field = `${cookie}=${value}; Path=/; HttpOnly; SameSite=Lax`
      const lead = { value, fields: ['Set-Cookie', field], secureFields: ['Set-Cookie', `${field}; Secure`] }
      this.#byValue.set(value, backend)
      this.#byKey.set(backend.key, lead)
    }
  }

  /** The backend that the client had; undefined where it brings no cookie that was made here. */
  find(head: RequestHead): Backend | undefined {
    const value = findCookie(head.headers, this.#cookie)
    return value === undefined ? undefined : this.#byValue.get(value)
  }

  /** What the response of that backend has to carry: the cookie, unless the client has it. */
  fieldsFor(backend: Backend, head: RequestHead, isSecure: boolean): HeaderList {
    const lead = this.#byKey.get(backend.key)
    if (lead === undefined || findCookie(head.headers, this.#cookie) === lead.value) return NO_HEADERS
    return isSecure ? lead.secureFields : lead.fields
  }
}
