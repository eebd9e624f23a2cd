import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainFailure, explainThrown, toError, withMessage } from '../../src/upstream/failure.ts'

function coded(code: string, message = code): Error {
  return Object.assign(new Error(message), { code })
}

for (const { name, error, phase, headReceived = false, reason } of [
  { name: 'a name that does not resolve', error: coded('ENOTFOUND'), phase: 'dialing', reason: 'connect_failed' },
  { name: 'a reset while dialling', error: coded('ECONNRESET'), phase: 'dialing', reason: 'connect_failed' },
  { name: 'a reset in the handshake', error: coded('ECONNRESET'), phase: 'handshake', reason: 'tls_failed' },
  { name: 'an expired certificate', error: coded('CERT_HAS_EXPIRED'), phase: 'handshake', reason: 'tls_failed' },
  { name: 'an alert after the handshake', error: coded('ERR_SSL_ALERT'), phase: 'open', reason: 'tls_failed' },
  { name: 'an alert', error: coded('ERR_SSL_ALERT'), phase: 'open', headReceived: true, reason: 'backend_reset' },
  { name: 'a parser error', error: coded('HPE_INVALID_STATUS'), phase: 'open', reason: 'bad_response' },
  { name: 'a parser error', error: coded('HPE_X'), phase: 'open', headReceived: true, reason: 'bad_response' },
  { name: 'a reset', error: coded('ECONNRESET'), phase: 'open', reason: 'backend_reset' },
  { name: 'a broken pipe', error: coded('EPIPE'), phase: 'open', reason: 'backend_reset' },
  { name: 'an error without code', error: new Error('odd'), phase: 'open', reason: 'backend_reset' },
] as const) {
  test(`${name}${headReceived ? ' within the response' : ''} is ${reason}`, () => {
    assert.equal(explainFailure(error, phase, headReceived), reason)
  })
}

for (const { name, error, reason } of [
  { name: 'a key that does not parse', error: coded('ERR_OSSL_PEM_NO_START_LINE'), reason: 'tls_failed' },
  { name: 'a port out of range', error: coded('ERR_SOCKET_BAD_PORT'), reason: 'connect_failed' },
  { name: 'a path that cannot be sent', error: coded('ERR_UNESCAPED_CHARACTERS'), reason: 'bad_response' },
]) {
  test(`${name} is ${reason}`, () => assert.equal(explainThrown(error), reason))
}

test('where every address refused, the message names each', () => {
  const refused = new AggregateError([new Error('refused by ::1'), new Error('refused by 127.0.0.1')])
  const told = withMessage(refused)
  assert.equal(told.message, 'refused by ::1, refused by 127.0.0.1')
  assert.equal(told.cause, refused)
})

test('an error that has a message stays itself', () => {
  for (const error of [new Error('a'), new AggregateError([], 'b')]) assert.equal(withMessage(error), error)
})

test('what was thrown and is no error becomes one', () => assert.equal(toError('text').message, 'text'))
