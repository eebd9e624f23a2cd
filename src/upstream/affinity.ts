import type { RequestHead } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { Backend } from './backend.ts'
import { SignedCookie } from './signed-cookie.ts'
import type { ResponseMarks } from './upstream.ts'

export interface AffinityOptions {
  readonly upstream: string
  readonly cookie: string
  readonly secret: string
}

/** Leads a client back to the backend that it had. */
export class Affinity implements ResponseMarks {
  readonly #cookie: SignedCookie<Backend>

  constructor(backends: readonly Backend[], { upstream, cookie, secret }: AffinityOptions) {
    const choices = backends.map((backend) => [backend.key, backend] as const)
    this.#cookie = new SignedCookie(choices, { scope: upstream, cookie, secret })
  }

  /** The backend that the client had; undefined where it brings no cookie that was made here. */
  find(head: RequestHead): Backend | undefined {
    return this.#cookie.find(head)
  }

  fieldsFor(backend: Backend, head: RequestHead, isSecure: boolean): HeaderList {
    return this.#cookie.fieldsFor(backend.key, head, isSecure)
  }
}
