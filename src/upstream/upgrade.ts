import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { findHeader, headerValues } from '../header-list.ts'
import type { Backend } from './backend.ts'
import type { Attempt, UpgradeSink, UpstreamRequest } from './engine.ts'
import { frameUpgrade } from './framing.ts'
import { HttpCall } from './http-call.ts'
import { MAX_RESPONSE_HEAD_BYTES } from './response-fault.ts'
import { createTlsOptions } from './tls-options.ts'
import { computeWebSocketAccept } from './websocket-accept.ts'

/**
 * Asks a backend for another protocol, on a connection of its own, the same way under every engine. A 101 that RFC
 * 6455 §4.1 does not let stand fails as `bad_response`; the socket of one that does has no timer and no Nagle delay.
 */
export function upgrade(backend: Backend, request: UpstreamRequest, sink: UpgradeSink): Attempt {
  const call = new HttpCall(request, sink, {
    protocolSwitch: {
      findFault: (response) => findSwitchFault(request, response),
      accept(response, socket, first) {
        const { statusCode = 101, statusMessage = '', rawHeaders } = response
        sink.switched({ status: statusCode, statusText: statusMessage, headers: rawHeaders }, socket, first)
      },
    },
  })
  call.start(() => {
    const connect = prepareConnection(backend)
    call.attach(
      httpRequest({
        method: request.method,
        path: request.path,
        headers: frameUpgrade(request.headers),
        maxHeaderSize: MAX_RESPONSE_HEAD_BYTES,
        createConnection: connect,
      }),
    )
  })
  return call
}

/** Throws where the backend's certificate or key cannot be used. */
function prepareConnection({ config }: Backend): () => Socket {
  const { host, port, tls, address = host } = config
  if (tls === undefined) return () => connectTcp({ host: address, port, noDelay: true })
  const options = createTlsOptions(host, tls)
  return () => connectTls({ ...options, host: address, port }).setNoDelay(true)
}

function findSwitchFault({ headers }: UpstreamRequest, { rawHeaders }: IncomingMessage): Error | undefined {
  const asked = headerValues(headers, 'upgrade').flatMap(splitTokens)
  const protocol = headerValues(rawHeaders, 'upgrade').join(',').trim().toLowerCase()
  if (!asked.includes(protocol)) return new Error(`101 with Upgrade: ${protocol}, asked for ${asked.join(', ')}`)
  if (protocol !== 'websocket') return undefined
  const key = findHeader(headers, 'sec-websocket-key')
  const accepted = headerValues(rawHeaders, 'sec-websocket-accept')
  if (key !== undefined && accepted.length === 1 && accepted[0]?.trim() === computeWebSocketAccept(key))
    return undefined
  return new Error(`101 with Sec-WebSocket-Accept: ${accepted.join(', ')}`)
}

function splitTokens(value: string): string[] {
  return value.split(',').map((token) => token.trim().toLowerCase())
}
