import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findNearest } from '../../src/config/nearest.ts'

const keys = ['host', 'port', 'path', 'ssl', 'backlog', 'workers', 'reverse_proxy', 'trusted_proxies', 'timeouts']

for (const { word, nearest } of [
  { word: 'prot', nearest: 'port' },
  { word: 'Port', nearest: 'port' },
  { word: 'pathh', nearest: 'path' },
  { word: 'timeout', nearest: 'timeouts' },
  { word: 'reverse_proxies', nearest: 'reverse_proxy' },
  { word: 'reverseproxy', nearest: 'reverse_proxy' },
  { word: 'sl', nearest: 'ssl' },
  { word: 'tls', nearest: undefined },
  { word: 'health_check', nearest: undefined },
  { word: '', nearest: undefined },
  { word: 'x'.repeat(100_000), nearest: undefined },
]) {
  test(`${word.slice(0, 20) || 'nothing'} is near ${nearest ?? 'nothing'}`, () => {
    assert.equal(findNearest(word, keys), nearest)
  })
}
