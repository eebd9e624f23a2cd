import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RejectedRequest } from '../../src/listener/listener.ts'
import { redirectToTls } from '../../src/listener/redirect.ts'
import { startListener } from './listener-harness.ts'

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'

for (const { name, head, port = 8443, location } of [
  {
    name: 'path and query go along as they came',
    head: 'GET /a%2Fb?c=d&e=%20f HTTP/1.1\r\nHost: a.example:8080\r\n',
    location: 'https://a.example:8443/a%2Fb?c=d&e=%20f',
  },
  {
    name: 'the port of https is not named',
    head: 'GET / HTTP/1.1\r\nHost: a.example\r\n',
    port: 443,
    location: 'https://a.example/',
  },
  {
    name: 'an address in brackets keeps them',
    head: 'GET / HTTP/1.1\r\nHost: [::1]:80\r\n',
    location: 'https://[::1]:8443/',
  },
  {
    name: 'a POST stays a POST: 308',
    head: 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n',
    location: 'https://a.example:8443/x',
  },
  {
    name: 'the host of a target URL counts',
    head: 'GET http://b.example/x HTTP/1.1\r\nHost: a.example\r\n',
    location: 'https://b.example:8443/x',
  },
  {
    name: 'a path that looks like a host is none',
    head: 'GET //evil.example/x HTTP/1.1\r\nHost: a.example\r\n',
    location: 'https://a.example:8443//evil.example/x',
  },
  {
    name: 'OPTIONS * goes to the root',
    head: 'OPTIONS * HTTP/1.1\r\nHost: a.example\r\n',
    location: 'https://a.example:8443/',
  },
  {
    name: 'an upgrade is sent on likewise',
    head: `GET /ws HTTP/1.1\r\nHost: a.example\r\n${UPGRADE}`,
    location: 'https://a.example:8443/ws',
  },
]) {
  test(name, async (t) => {
    const response = await ask(t, head, port)
    assert.match(response, /^HTTP\/1\.1 308 Permanent Redirect\r\n/)
    assert.match(response, /\r\nContent-Length: 0\r\n/)
    assert.equal(/\r\nLocation: ([^\r]*)\r\n/.exec(response)?.[1], location)
  })
}

for (const { name, head } of [
  { name: 'HTTP/1.0 without Host has no place to go to', head: 'GET / HTTP/1.0\r\n' },
  { name: 'a Host that is no host is no place', head: 'GET / HTTP/1.1\r\nHost: evil.example/x\r\n' },
  { name: 'a Host with a user part is no place', head: 'GET / HTTP/1.1\r\nHost: a.example@evil.example\r\n' },
  {
    name: 'a path that no backend would be given is no place',
    head: 'GET /\\evil.example HTTP/1.1\r\nHost: a.example\r\n',
  },
]) {
  test(name, async (t) => {
    const response = await ask(t, head, 8443)
    assert.match(response, /^HTTP\/1\.1 400 /)
    assert.match(response, /\r\nX-Pyserve-Reason: bad_request\r\n/)
    assert.doesNotMatch(response, /Location/)
  })
}

test('what is no exchange is told to the handler behind it', () => {
  const told: RejectedRequest[] = []
  const handler = redirectToTls({ exchange() {}, upgrade() {}, rejected: (request) => told.push(request) }, 443)
  const client = { remoteAddress: '127.0.0.1', remotePort: 1, localPort: 2, encrypted: false }
  const request = {
    client,
    reason: 'bad_request',
    status: 400,
    detail: '',
    method: undefined,
    target: undefined,
  } as const
  handler.rejected(request)
  assert.deepEqual(told, [request])
})

async function ask(t: Parameters<typeof startListener>[0], head: string, tlsPort: number): Promise<string> {
  const handler = redirectToTls({ exchange: () => assert.fail(), upgrade: () => assert.fail(), rejected() {} }, tlsPort)
  const harness = await startListener(t, handler)
  return harness.raw(`${head}\r\n`).has('\r\n\r\n')
}
