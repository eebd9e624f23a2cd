import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHeaderGate } from '../../src/proxy/header-gate.ts'
import { arrive } from './arrival-stage.ts'

const NONE = { set: [], remove: [] }

test('a route whose values are the same for all has no gate', () => {
  const rules = { set: [['X-A', 'b']] as const, remove: [] }
  assert.equal(createHeaderGate({ name: 'api', headers: { request: rules, response: rules } }), undefined)
})

test('every variable stands for what the request is', () => {
  const text = '{client_ip} {host} {method} {path} {query} {request_id} {route} {scheme} {{host}}'
  const request = { set: [['X-All', text]] as const, remove: [] }
  const gate = createHeaderGate({ name: 'api', headers: { request, response: NONE } })
  const { arrival } = arrive({ target: '/api/x?a=1&b={c}' })
  assert.equal(gate?.enter(arrival), undefined)
  assert.deepEqual(arrival.requestFields, ['X-All', '127.0.0.1 h GET /api/x a=1&b={c} id api http {host}'])
  assert.deepEqual(arrival.responseFields, [])
})

test('what other steps gave stays', () => {
  const response = { set: [['X-Id', '{request_id}']] as const, remove: [] }
  const gate = createHeaderGate({ name: 'api', headers: { request: NONE, response } })
  const { arrival } = arrive()
  arrival.responseFields = ['X-Other', '1']
  assert.equal(gate?.enter(arrival), undefined)
  assert.deepEqual(arrival.responseFields, ['X-Other', '1', 'X-Id', 'id'])
})
