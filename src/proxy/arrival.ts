import type { BodySource, RequestHead, Responder, UpgradeExchange } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { ClientIdentity } from './client-identity.ts'
import type { ErrorPages } from './error-pages.ts'
import type { ExchangeLog } from './exchange-log.ts'

/** An exchange whose client is known: what every step after that needs, and what one step gives the next. */
export interface Arrival {
  readonly head: RequestHead
  readonly identity: ClientIdentity
  readonly log: ExchangeLog
  readonly upgrade: UpgradeExchange | undefined
  /** Those of the route, once there is one; undefined: the built-in ones. */
  errorPages: ErrorPages | undefined
  /** A gate may put another before it, that changes what passes. */
  responder: Responder
  /** Likewise. */
  body: BodySource | undefined
  /** Go to the backend in place of the client's fields of the same names. */
  requestFields: HeaderList
  /** Go with the response, whoever makes it; behind the backend's own fields. */
  responseFields: HeaderList
}
