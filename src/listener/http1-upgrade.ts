import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ClientAddress, RequestHead, ResponseHead, UpgradeExchange } from '../exchange.ts'
import { findHeader } from '../header-list.ts'
import { Http1Responder, type ResponderHost } from './http1-responder.ts'
import { renderHead, takeResponseFields } from './response-fields.ts'

/** The connection that an upgrade leaves. */
export interface UpgradeHost extends ResponderHost {
  readonly client: ClientAddress
  /** The socket is somebody else's from now on. */
  release(): void
}

/** A request whose socket Node's parser has let go of. */
export class Http1Upgrade implements UpgradeExchange {
  readonly head: RequestHead
  readonly client: ClientAddress
  readonly responder: Http1Responder
  readonly #host: UpgradeHost
  readonly #socket: Socket
  readonly #response: ServerResponse
  readonly #first: Buffer

  constructor(host: UpgradeHost, head: RequestHead, message: IncomingMessage, socket: Socket, first: Buffer) {
    this.#host = host
    this.head = head
    this.client = host.client
    this.#socket = socket
    this.#first = first
    const response = new ServerResponse(message)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    this.#response = response
    this.responder = new Http1Responder(host, response, false)
  }

  accept(head: ResponseHead): { readonly socket: Duplex; readonly first: Buffer } {
    this.#response.detachSocket(this.#socket)
    this.#host.release()
    const fields = takeResponseFields(head.headers)?.fields ?? []
    if (findHeader(fields, 'upgrade') === undefined)
      fields.push('Upgrade', findHeader(this.head.headers, 'upgrade') ?? '')
    fields.push('Connection', 'Upgrade')
    this.#socket.write(renderHead(101, head.statusText || 'Switching Protocols', fields), 'latin1')
    return { socket: this.#socket, first: this.#first }
  }
}
