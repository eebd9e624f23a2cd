import assert from 'node:assert/strict'
import { test } from 'node:test'
import { computeKeptMs } from '../../../src/upstream/native/keep-alive.ts'

for (const { field, keptMs } of [
  { field: undefined, keptMs: 4_000 },
  { field: '', keptMs: 4_000 },
  { field: 'max=100', keptMs: 4_000 },
  { field: 'xtimeout=9', keptMs: 4_000 },
  { field: 'timeout=x', keptMs: 4_000 },
  { field: 'timeout=5', keptMs: 4_000 },
  { field: 'timeout=30, max=100', keptMs: 29_000 },
  { field: 'max=100, Timeout = "3"', keptMs: 2_000 },
  { field: 'timeout=3600', keptMs: 60_000 },
  { field: 'timeout=1', keptMs: 0 },
  { field: 'timeout=0', keptMs: 0 },
]) {
  test(`Keep-Alive: ${field} lets a connection be idle for ${keptMs} ms`, () => {
    assert.equal(computeKeptMs(field), keptMs)
  })
}
