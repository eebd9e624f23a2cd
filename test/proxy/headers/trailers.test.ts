import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filterTrailers } from '../../../src/proxy/headers/trailers.ts'

test('trailers cross with their order, case and duplicates', () => {
  const trailers = ['Grpc-Status', '0', 'X-Sum', 'a', 'x-sum', 'b', 'Server-Timing', 'db']
  assert.deepEqual(filterTrailers(trailers), trailers)
})

test('trailers cannot change framing, routing, caching or cookies', () => {
  const names = [
    'Content-Length',
    'Transfer-Encoding',
    'HOST',
    'Set-Cookie',
    'Connection',
    'Trailer',
    'Cache-Control',
    'Authorization',
  ]
  assert.deepEqual(filterTrailers([...names.flatMap((name) => [name, 'x']), 'X-Sum', 'a']), ['X-Sum', 'a'])
})
