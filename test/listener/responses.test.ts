import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../helpers/wait.ts'
import { answer, collect, settled, startListener, watch } from './listener-harness.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'
const OLD_GET = 'GET / HTTP/1.0\r\n\r\n'
const DATE = /\r\nDate: [^\r]+/

test('a head goes out with its own order, case, duplicates and words', async (t) => {
  const harness = await startListener(t, {
    exchange({ responder }) {
      const headers = ['x-A', '1', 'Set-Cookie', 'a=b', 'DATE', 'today', 'set-cookie', 'c=d', 'content-length', '2']
      responder.head({ status: 203, statusText: 'Quite Fine', headers })
      responder.write(Buffer.from('ok'))
      responder.end([])
    },
  })
  const response = await harness.raw(GET).has('ok')
  assert.equal(
    response,
    'HTTP/1.1 203 Quite Fine\r\nx-A: 1\r\nSet-Cookie: a=b\r\nDATE: today\r\nset-cookie: c=d\r\ncontent-length: 2\r\n\r\nok',
  )
})

test('a date is added where there is none, and nothing else', async (t) => {
  const harness = await startListener(t, { exchange: (exchange) => answer(exchange) })
  const response = await harness.raw(GET).has('ok')
  assert.match(response, DATE)
  assert.equal(response.replace(DATE, ''), 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
})

test('fields of the connection are not taken from a head', async (t) => {
  const harness = await startListener(t, {
    exchange({ responder }) {
      const fields = [
        'Connection',
        'close, X-A',
        'Keep-Alive',
        'timeout=1',
        'Transfer-Encoding',
        'gzip',
        'Proxy-Connection',
        'x',
      ]
      responder.head({ status: 200, statusText: 'OK', headers: [...fields, 'X-A', '1', 'Content-Length', '0'] })
      responder.end([])
    },
  })
  const response = await harness.raw(GET).has('\r\n\r\n')
  assert.equal(response.replace(DATE, ''), 'HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n')
})

for (const { name, request, status, headers, body, expected, persists } of [
  {
    name: 'a length is kept',
    request: GET,
    headers: ['Content-Length', '5'],
    expected: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    persists: true,
  },
  {
    name: 'a body without a length is chunked',
    request: GET,
    expected: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    persists: true,
  },
  {
    name: 'a body without a length ends with the connection in HTTP/1.0',
    request: OLD_GET,
    expected: 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello',
  },
  {
    name: 'HTTP/1.0 does not persist',
    request: OLD_GET,
    headers: ['Content-Length', '5'],
    expected: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello',
  },
  {
    name: 'HTTP/1.0 persists where the client asks for it and the length shows',
    request: 'GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n',
    headers: ['Content-Length', '5'],
    expected: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello',
    persists: true,
  },
  {
    name: 'HTTP/1.0 does not persist where no length shows, and TE makes nothing chunked',
    request: 'GET / HTTP/1.0\r\nConnection: keep-alive\r\nTE: chunked\r\n\r\n',
    expected: 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello',
  },
  {
    name: 'a client that asks to close is obeyed',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    headers: ['Content-Length', '5'],
    expected: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello',
  },
  {
    name: 'HEAD keeps the length and drops the body',
    request: 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
    headers: ['Content-Length', '5'],
    expected: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    persists: true,
  },
  {
    name: 'HEAD is not given a coding that nobody gave it',
    request: 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
    expected: 'HTTP/1.1 200 OK\r\n\r\n',
    persists: true,
  },
  { name: '204 has no body', request: GET, status: 204, expected: 'HTTP/1.1 204 OK\r\n\r\n', persists: true },
  {
    name: '204 has no length either',
    request: GET,
    status: 204,
    headers: ['Content-Length', '5'],
    expected: 'HTTP/1.1 204 OK\r\n\r\n',
    persists: true,
  },
  {
    name: '304 keeps the length of what it stands for',
    request: GET,
    status: 304,
    headers: ['Content-Length', '5'],
    expected: 'HTTP/1.1 304 OK\r\nContent-Length: 5\r\n\r\n',
    persists: true,
  },
  { name: '304 has no body', request: GET, status: 304, expected: 'HTTP/1.1 304 OK\r\n\r\n', persists: true },
  {
    name: 'an empty body is no end of chunks',
    request: GET,
    body: ['', 'hello', ''],
    expected: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    persists: true,
  },
]) {
  test(name, async (t) => {
    const told: string[][] = []
    const harness = await startListener(t, {
      exchange({ responder }) {
        told.push(watch(responder))
        responder.head({ status: status ?? 200, statusText: 'OK', headers: headers ?? [] })
        for (const part of body ?? ['hello']) assert.ok(responder.write(Buffer.from(part)))
        responder.end([])
      },
    })
    const client = harness.raw(request)
    await waitFor(() => told[0]?.length, { what: 'the end of the response' })
    if (persists) {
      await client.has(expected.slice(-4))
      const first = client.received
      client.send(request)
      await waitFor(() => client.received.length === first.length * 2, { what: 'a second response' })
    } else await client.rest()
    const [response = ''] = client.received.split(/(?<=.)(?=HTTP\/1\.1)/s)
    assert.equal(response.replace(DATE, ''), expected)
    assert.deepEqual(told[0], ['finished'])
  })
}

for (const { name, lengthBytes, body } of [
  { name: 'a body that is shorter than it said', lengthBytes: 10, body: 'hello' },
  { name: 'a body that is longer than it said', lengthBytes: 5, body: 'hello world' },
  { name: 'a body where none was to be', lengthBytes: 0, body: 'hello' },
]) {
  test(`${name} ends with a cut connection`, async (t) => {
    const harness = await startListener(t)
    const client = harness.raw(GET)
    const { responder } = await harness.exchange(0)
    const told = watch(responder)
    responder.head({ status: 200, statusText: 'OK', headers: ['Content-Length', String(lengthBytes)] })
    responder.write(Buffer.from(body))
    responder.end([])
    await client.rest()
    assert.deepEqual(told, ['gone bad_response'])
    assert.ok(!client.received.includes('world'), 'nothing past the length was sent')
  })
}

test('a head that cannot be framed is not sent', async (t) => {
  for (const headers of [
    ['Content-Length', '5', 'content-length', '6'],
    ['Content-Length', '5', 'content-length', '5'],
    ['Content-Length', '+5'],
    ['Content-Length', ''],
  ]) {
    const harness = await startListener(t)
    const client = harness.raw(GET)
    const { responder } = await harness.exchange(0)
    const told = watch(responder)
    responder.head({ status: 200, statusText: 'OK', headers })
    responder.write(Buffer.from('hello'))
    responder.end([])
    assert.equal(await client.rest(), '')
    assert.deepEqual(told, ['gone bad_response'])
  }
})

for (const status of [0, 99, 100, 101, 199, 600, 1000, Number.NaN]) {
  test(`a final head with the status ${status} is not sent`, async (t) => {
    const harness = await startListener(t)
    const client = harness.raw(GET)
    const { responder } = await harness.exchange(0)
    const told = watch(responder)
    responder.head({ status, statusText: '', headers: [] })
    assert.equal(await client.rest(), '')
    assert.deepEqual(told, ['gone bad_response'])
    assert.equal(responder.headSent, false)
  })
}

test('what cannot stand in a head is left out of it, and the rest goes out', async (t) => {
  const harness = await startListener(t, {
    exchange({ responder }) {
      const bad = ['X A', '1', 'X-B', 'a\r\nSet-Cookie: b', 'X-C', 'a\0', '', 'x', 'X-D', '\u20ac']
      responder.inform(103, ['Link', '</a>\r\nX-Evil: 1', ...bad, 'X-Good', '1'])
      responder.head({ status: 200, statusText: 'OK\r\nX-Evil: 1', headers: [...bad, 'X-Good', 'caf\xe9'] })
      responder.end(['X Bad', '1', 'X-Worse', 'a\r\n\r\nb', 'X-Good', '1'])
    },
  })
  const client = harness.raw(GET)
  const hints = 'HTTP/1.1 103 Early Hints\r\nX-Good: 1\r\n\r\n'
  const head = 'HTTP/1.1 200 \r\nX-Good: caf\xe9\r\nTransfer-Encoding: chunked\r\n\r\n'
  const response = await client.has('0\r\nX-Good: 1\r\n\r\n')
  assert.equal(response.replace(DATE, ''), `${hints}${head}0\r\nX-Good: 1\r\n\r\n`)
})

test('a file name in UTF-8 keeps its bytes', async (t) => {
  for (const name of ['caf\xc3\xa9', '\xe4\xb8\xad', '\xff\xfe']) {
    const value = `attachment; filename="${name}"`
    const harness = await startListener(t, {
      exchange({ responder }) {
        responder.head({
          status: 200,
          statusText: 'OK',
          headers: ['Content-Length', '2', 'Content-Disposition', value],
        })
        responder.write(Buffer.from('ok'))
        responder.end([])
      },
    })
    const response = await harness.raw(GET).has('\r\n\r\nok')
    assert.ok(response.includes(`\r\nContent-Disposition: ${value}\r\n`), response)
    assert.ok(response.includes('\r\nContent-Length: 2\r\n'), response)
  }
})

test('trailers go behind a chunked body, one by one', async (t) => {
  const harness = await startListener(t, {
    exchange({ responder }) {
      responder.head({ status: 200, statusText: 'OK', headers: ['Trailer', 'X-Sum'] })
      responder.write(Buffer.from('hello'))
      responder.end(['X-Sum', '1', 'x-sum', '2'])
    },
  })
  const response = await harness.raw(GET).has('x-sum: 2\r\n\r\n')
  assert.match(response, /\r\nTrailer: X-Sum\r\n/)
  assert.ok(response.endsWith('5\r\nhello\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n'))
})

test('trailers that have no place are dropped, and so is their announcement', async (t) => {
  for (const { request, headers } of [
    { request: GET, headers: ['Trailer', 'X-Sum', 'Content-Length', '5'] },
    { request: OLD_GET, headers: ['Trailer', 'X-Sum'] },
  ]) {
    const harness = await startListener(t, {
      exchange({ responder }) {
        responder.head({ status: 200, statusText: 'OK', headers })
        responder.write(Buffer.from('hello'))
        responder.end(['X-Sum', '1'])
      },
    })
    const response = await harness.raw(request).has('hello')
    assert.doesNotMatch(response, /Trailer|X-Sum/i)
  }
})

test('informational responses go before the head, and never to HTTP/1.0', async (t) => {
  const harness = await startListener(t, {
    exchange(exchange) {
      exchange.responder.inform(103, ['Link', '</a>; rel=preload', 'link', '</b>'])
      exchange.responder.inform(102, [])
      for (const status of [100, 101, 99, 200]) exchange.responder.inform(status, [])
      assert.equal(exchange.responder.headSent, false)
      answer(exchange)
      exchange.responder.inform(103, ['X-Late', '1'])
    },
  })
  const response = await harness.raw(GET).has('ok')
  const hints =
    'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nlink: </b>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n'
  assert.ok(response.startsWith(`${hints}HTTP/1.1 200 OK\r\n`))
  assert.doesNotMatch(response, /X-Late/)
  assert.match(await harness.raw(OLD_GET).rest(), /^HTTP\/1\.1 200 /)
})

test('a client that reads slowly holds the response back, and gets all of it', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(GET)
  client.socket.pause()
  const { responder } = await harness.exchange(0)
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const total = 512 * chunk.length
  let written = 0
  const told: string[] = []
  const pump = () => {
    while (written < total) {
      written += chunk.length
      if (!responder.write(chunk)) return
    }
    responder.end([])
  }
  responder.watch({ drained: pump, finished: () => told.push('finished'), gone: (reason) => told.push(reason) })
  responder.head({ status: 200, statusText: 'OK', headers: ['Content-Length', String(total)] })
  pump()
  const held = await settled(() => written)
  assert.ok(held < total / 2, `${held} bytes were taken although nobody reads`)
  client.socket.resume()
  await waitFor(() => told[0], { what: 'the end' })
  assert.deepEqual(told, ['finished'])
  await waitFor(() => client.received.length > total, { what: 'the last byte' })
})

test('a client that reads nothing for too long is cut off', async (t) => {
  const harness = await startListener(t, { timeouts: { writeIdleMs: 300 } })
  for (const way of ['before the end', 'after the end']) {
    const client = harness.raw(GET)
    client.socket.pause()
    const { responder } = await harness.exchange(harness.exchanges.length)
    const told = watch(responder)
    responder.head({ status: 200, statusText: 'OK', headers: [] })
    assert.ok(!responder.write(Buffer.alloc(64 * 1024 * 1024)))
    if (way === 'after the end') responder.end([])
    await waitFor(() => told[0], { what: 'the cut' })
    assert.deepEqual(told, ['gone idle_timeout'])
    client.socket.destroy()
  }
})

test('a client that reads a little now and then is not cut off', async (t) => {
  const harness = await startListener(t, { timeouts: { writeIdleMs: 400 } })
  const client = harness.raw(GET)
  client.socket.pause()
  const { responder } = await harness.exchange(0)
  const told = watch(responder)
  const total = 24 * 1024 * 1024
  responder.head({ status: 200, statusText: 'OK', headers: ['Content-Length', String(total)] })
  responder.write(Buffer.alloc(total))
  responder.end([])
  const startedMs = performance.now()
  const timer = setInterval(() => {
    client.socket.resume()
    setImmediate(() => client.socket.pause())
    if (performance.now() - startedMs > 1500) {
      clearInterval(timer)
      client.socket.resume()
    }
  }, 100)
  t.after(() => clearInterval(timer))
  await waitFor(() => told[0], { what: 'the end' })
  assert.deepEqual(told, ['finished'])
})

for (const { name, leave } of [
  { name: 'resets the connection', leave: 'resetAndDestroy' },
  { name: 'closes the connection', leave: 'destroy' },
] as const) {
  for (const sent of [false, true]) {
    test(`a client that ${name} ${sent ? 'within' : 'before'} the response is gone`, async (t) => {
      const harness = await startListener(t)
      const client = harness.raw(GET)
      const { responder } = await harness.exchange(0)
      const told = watch(responder)
      if (sent) {
        responder.head({ status: 200, statusText: 'OK', headers: [] })
        responder.write(Buffer.from('hello'))
        await client.has('hello')
      }
      client.socket[leave]()
      await waitFor(() => told[0], { what: 'the loss' })
      assert.deepEqual(told, ['gone client_gone'])
      assert.ok(responder.write(Buffer.from('x')), 'nobody waits for a drain that will not come')
      responder.end([])
      assert.equal(harness.listener.connections, 0)
    })
  }
}

test('a watcher that comes too late is still told', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw(GET)
  const { responder } = await harness.exchange(0)
  client.socket.resetAndDestroy()
  await waitFor(() => harness.listener.connections === 0, { what: 'the loss' })
  const told = watch(responder)
  await waitFor(() => told[0], { what: 'the news' })
  assert.deepEqual(told, ['gone client_gone'])
})

for (const { name, request, headers, reset } of [
  { name: 'of known length', request: GET, headers: ['Content-Length', '10'], reset: false },
  { name: 'in chunks', request: GET, headers: [], reset: false },
  { name: 'that ends with the connection', request: OLD_GET, headers: [], reset: true },
]) {
  test(`an aborted response ${name} cannot be taken for a whole one`, async (t) => {
    const harness = await startListener(t)
    const client = harness.raw(request)
    const { responder } = await harness.exchange(0)
    const told = watch(responder)
    responder.head({ status: 200, statusText: 'OK', headers })
    responder.write(Buffer.from('hello'))
    await client.has('hello')
    responder.abort()
    await waitFor(() => client.ended || client.closed, { what: 'the cut' })
    assert.doesNotMatch(client.received, /0\r\n\r\n/)
    if (reset) await waitFor(() => client.errorCode === 'ECONNRESET', { what: 'the reset' })
    assert.deepEqual(told, [], 'who aborts knows it')
  })
}

test('an early answer reaches a client that goes on sending, and says that the connection closes', async (t) => {
  const harness = await startListener(t, { exchange: (exchange) => answer(exchange, 'too large', [], 413) })
  const client = harness.raw('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 33554432\r\n\r\n')
  client.send(Buffer.alloc(32 * 1024 * 1024))
  const response = await client.has('too large')
  assert.match(response, /^HTTP\/1\.1 413 .*\r\nConnection: close\r\n/s)
  await waitFor(() => client.ended, { what: 'FIN' })
  await waitFor(() => client.socket.writableLength === 0, { what: 'the rest of the upload to be read' })
  client.send(GET)
  client.socket.end()
  await waitFor(() => client.closed, { what: 'the end' })
  assert.equal(client.errorCode, undefined)
  assert.equal(client.received, response)
})

test('an upload that goes on behind its answer is read for a bounded time', async (t) => {
  const harness = await startListener(t)
  const client = harness.raw('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 33554432\r\n\r\nhello')
  const exchange = await harness.exchange(0)
  const collected = collect(exchange)
  const told = watch(exchange.responder)
  await waitFor(() => collected.bytes.length === 5, { what: 'the first bytes' })
  answer(exchange, 'no', [], 403)
  await client.has('no')
  assert.deepEqual(told, ['finished'])
  assert.equal(collected.over, 'fail client_gone', 'a body that was started ends or fails')
  const timer = setInterval(() => client.send('x'), 50)
  t.after(() => clearInterval(timer))
  await waitFor(() => client.closed, { what: 'the cut' })
  assert.equal(harness.listener.connections, 0)
})
