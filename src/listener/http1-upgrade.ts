import type { Duplex } from 'node:stream'
import type { ClientAddress, RequestHead, ResponseHead, UpgradeExchange } from '../exchange.ts'
import { findHeader } from '../header-list.ts'
import { Http1Responder, type ResponderHost } from './http1-responder.ts'
import { renderFields, renderResponseFields, renderStatusLine } from './response-fields.ts'

/** The connection that an upgrade leaves. */
export interface UpgradeHost extends ResponderHost {
  readonly client: ClientAddress
  /** The socket is somebody else's from now on; returns the bytes behind the request. */
  release(): Buffer
}

/** A request to leave HTTP. */
export class Http1Upgrade implements UpgradeExchange {
  readonly head: RequestHead
  readonly client: ClientAddress
  readonly responder: Http1Responder
  readonly #host: UpgradeHost

  constructor(host: UpgradeHost, head: RequestHead) {
    this.#host = host
    this.head = head
    this.client = host.client
    this.responder = new Http1Responder(host, false, false)
  }

  accept({ statusText, headers }: ResponseHead): { readonly socket: Duplex; readonly first: Buffer } {
    const { socket } = this.#host
    const first = this.#host.release()
    const fields = renderResponseFields(headers, true)?.text ?? ''
    const upgrade = findHeader(headers, 'upgrade') === undefined ? findHeader(this.head.headers, 'upgrade') : undefined
    const own = upgrade === undefined ? ['Connection', 'Upgrade'] : ['Upgrade', upgrade, 'Connection', 'Upgrade']
    const statusLine = renderStatusLine(101, statusText || 'Switching Protocols')
    socket.write(`${statusLine}${fields}${renderFields(own)}\r\n`, 'latin1')
    return { socket, first }
  }
}
