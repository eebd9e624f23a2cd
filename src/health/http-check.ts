import { type ClientRequest, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { HealthCheckConfig } from '../config/health-config.ts'
import type { CheckPlace } from './check.ts'
import { type Conclude, describeError, failed } from './check-result.ts'

const MAX_HEAD_BYTES = 16 * 1024
/** What comes after it does not matter any more. */
const MAX_BODY_BYTES = 64 * 1024

/** Asks with GET on a connection of its own. The answer has to come to its end. Returns how to end it before. */
export function checkByRequest(place: CheckPlace, config: HealthCheckConfig, conclude: Conclude): () => void {
  const request = send(place, config)
  request.on('error', (error) => conclude(failed(describeError(error))))
  request.on('close', () => conclude(failed('the connection was closed')))
  // Without a listener an answer of 101 that nobody asked for leaves its socket behind.
  request.on('upgrade', (response, socket) => {
    socket.destroy()
    conclude(failed(`status ${response.statusCode}`))
  })
  request.on('response', (response) => judge(response, config, conclude))
  request.end()
  return () => request.destroy()
}

function send({ host, port, hostField, tlsOptions }: CheckPlace, config: HealthCheckConfig): ClientRequest {
  const options: RequestOptions = {
    host,
    port,
    path: config.path,
    agent: false,
    setHost: false,
    maxHeaderSize: MAX_HEAD_BYTES,
    headers: [
      ['Host', config.host ?? hostField],
      ['User-Agent', 'pyserve-ts-health-check'],
      ['Accept', '*/*'],
      ['Connection', 'close'],
      ...config.headers,
    ].flat(),
  }
  return tlsOptions === undefined ? requestHttp(options) : requestHttps({ ...options, ...tlsOptions() })
}

function judge(response: IncomingMessage, { statuses, body }: HealthCheckConfig, conclude: Conclude): void {
  const { statusCode: status = 0 } = response
  if (!statuses.some(([from, to]) => status >= from && status <= to)) {
    conclude(failed(`status ${status}`))
    return
  }
  const chunks: Buffer[] = []
  let bytes = 0
  const finish = () => {
    const isFound = body === undefined || Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).includes(body)
    conclude(isFound ? { ok: true } : failed('the body does not have the text that is expected'))
  }
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (body !== undefined) chunks.push(chunk)
    if (bytes >= MAX_BODY_BYTES) finish()
  })
  response.on('end', finish)
  response.on('error', (error) => conclude(failed(describeError(error))))
}
