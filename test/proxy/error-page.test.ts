import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findHeader } from '../../src/header-list.ts'
import { answerError, prefersHtml } from '../../src/proxy/error-page.ts'
import { REASONS, type Reason } from '../../src/reason.ts'
import { recordResponder } from '../helpers/responder.ts'

for (const { name, accept, html } of [
  { name: 'no Accept gets JSON', accept: undefined, html: false },
  { name: 'curl gets JSON', accept: '*/*', html: false },
  {
    name: 'a browser gets HTML',
    accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    html: true,
  },
  { name: 'the heavier of the two wins', accept: 'text/html;q=0.5, application/json', html: false },
  { name: 'HTML at weight 0 is refused', accept: 'text/html;q=0', html: false },
  { name: 'a broken weight counts as none', accept: 'text/html;q=x', html: false },
]) {
  test(name, () => assert.equal(prefersHtml(accept), html))
}

test('the answer carries its reason, its request id and its exact length', () => {
  const responder = recordResponder()
  answerError(responder, {
    reason: 'no_route',
    status: 404,
    requestId: 'r-1',
    accept: undefined,
    fields: [],
    pages: undefined,
  })
  assert.equal(responder.sent.head?.status, 404)
  const headers = responder.sent.head?.headers ?? []
  assert.equal(findHeader(headers, 'x-pyserve-reason'), 'no_route')
  assert.equal(findHeader(headers, 'x-request-id'), 'r-1')
  assert.equal(findHeader(headers, 'content-length'), String(responder.sent.body.length))
  assert.deepEqual(JSON.parse(responder.sent.body.toString()), {
    error: 'no_route',
    status: 404,
    message: REASONS.no_route.detail,
    request_id: 'r-1',
  })
  assert.equal(responder.sent.ended, true)
})

test('what a client sent as its request id is escaped in the page', () => {
  const responder = recordResponder()
  answerError(responder, {
    reason: 'no_route',
    status: 404,
    requestId: '<script>"&\'',
    accept: 'text/html',
    fields: [],
    pages: undefined,
  })
  const page = responder.sent.body.toString()
  assert.equal(page.includes('<script>'), false)
  assert.match(page, /&lt;script&gt;&quot;&amp;&#39;/)
})

test('every reason has a page in both forms', () => {
  for (const reason of Object.keys(REASONS) as Reason[]) {
    for (const accept of ['text/html', undefined]) {
      const responder = recordResponder()
      answerError(responder, {
        reason,
        status: REASONS[reason].status,
        requestId: 'r',
        accept,
        fields: [],
        pages: undefined,
      })
      assert.match(responder.sent.body.toString(), new RegExp(reason))
    }
  }
})
