import assert from 'node:assert/strict'
import type { Echo } from './backends.ts'
import { type SentRequest, sendRequest, type Target } from './http-client.ts'
import { WebSocketClient } from './websocket-load.ts'

/** What the echo backend saw of a request. */
export async function fetchEcho(target: Target, request: SentRequest): Promise<Echo> {
  const reply = await sendRequest(target, request)
  assert.equal(reply.status, 200, `${request.path}: ${reply.status} ${reply.body}`)
  return JSON.parse(reply.body.toString()) as Echo
}

/** What the echo backend saw of the upgrade request of a WebSocket, which works both ways and is closed in order. */
export async function fetchWebSocketEcho(
  target: Target,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Echo> {
  const client = new WebSocketClient(target, path, headers)
  assert.ok(await client.opened(), `${path} was not opened`)
  const answer = await client.ask('request?')
  client.socket.close(1000)
  assert.equal((await client.ended).code, 1000)
  return JSON.parse(String(answer)) as Echo
}
