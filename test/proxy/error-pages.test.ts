import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorPageConfig, PageConfig } from '../../src/config/error-pages-config.ts'
import { weightOf } from '../../src/proxy/accept.ts'
import { createPageCompiler } from '../../src/proxy/error-pages.ts'
import type { Reason } from '../../src/reason.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const VALUES = {
  status: '502',
  status_text: 'Bad Gateway',
  reason: 'connect_failed',
  message: 'a "b" <c>',
  request_id: 'r',
}

/** Pages that say which one they are. */
function compile(own: readonly ErrorPageConfig[], server: readonly ErrorPageConfig[] = []) {
  const pages: Record<string, PageConfig> = {}
  for (const { page } of [...own, ...server]) {
    const [type = 'html'] = page.split(':')
    pages[page] = { type: type as PageConfig['type'], text: page }
  }
  const compilePages = createPageCompiler(pages)
  const found = compilePages(own, compilePages(server))
  return (reason: Reason, status: number, accept?: string) => found?.find(reason, status, accept)?.render(VALUES)
}

test('the reason wins over the status, that over its class, and the route over the server', () => {
  const errors = ['connect_failed', '502', '5xx']
  const own = errors.map((error) => ({ error, page: `html:own ${error}` }))
  const server = errors.map((error) => ({ error, page: `html:server ${error}` }))
  const find = compile(own, server)
  assert.equal(find('connect_failed', 502), 'html:own connect_failed')
  assert.equal(find('tls_failed', 502), 'html:own 502')
  assert.equal(find('no_backend', 503), 'html:own 5xx')
  assert.equal(find('no_route', 404), undefined)
  assert.equal(compile(own.slice(2), server)('connect_failed', 502), 'html:own 5xx')
  assert.equal(compile([], server)('connect_failed', 502), 'html:server connect_failed')
})

for (const { accept, types, used } of [
  { accept: undefined, types: ['html'], used: 'html' },
  { accept: '*/*', types: ['html'], used: 'html' },
  { accept: '*/*', types: ['json'], used: 'json' },
  { accept: '*/*', types: ['html', 'json'], used: 'html' },
  { accept: '*/*', types: ['json', 'html'], used: 'json' },
  { accept: BROWSER, types: ['json', 'html'], used: 'html' },
  { accept: BROWSER, types: ['json'], used: undefined },
  { accept: BROWSER, types: ['text'], used: 'text' },
  { accept: 'application/json', types: ['html', 'json'], used: 'json' },
  { accept: 'application/json', types: ['html'], used: undefined },
  { accept: 'application/json', types: ['text'], used: 'text' },
  { accept: 'application/json, text/html;q=0.5', types: ['html'], used: undefined },
  { accept: 'text/*', types: ['json', 'html'], used: 'html' },
  { accept: 'image/png', types: ['html', 'json'], used: undefined },
]) {
  test(`of ${types} a client that accepts ${accept} gets ${used}`, () => {
    const find = compile(types.map((type) => ({ error: '5xx', page: `${type}:page` })))
    assert.equal(find('no_backend', 503, accept), used && `${used}:page`)
  })
}

test('a type that the route has no page for is looked for further on', () => {
  const find = compile([{ error: '503', page: 'html:own' }], [{ error: '5xx', page: 'json:server' }])
  assert.equal(find('no_backend', 503, 'application/json'), 'json:server')
})

for (const { type, text, rendered, contentType } of [
  {
    type: 'html',
    text: '<style>p{margin:0}</style>{status} {status_text}: {message} {reason} {request_id} {nothing} {{status}}',
    rendered: '<style>p{margin:0}</style>502 Bad Gateway: a &quot;b&quot; &lt;c&gt; connect_failed r {nothing} {502}',
    contentType: 'text/html; charset=utf-8',
  },
  {
    type: 'json',
    text: '{"code":{status},"detail":"{message}"}',
    rendered: '{"code":502,"detail":"a \\"b\\" <c>"}',
    contentType: 'application/json',
  },
  { type: 'text', text: '{message}\n', rendered: 'a "b" <c>\n', contentType: 'text/plain; charset=utf-8' },
] as const) {
  test(`a page of type ${type} says what happened, in its own spelling`, () => {
    const page = createPageCompiler({ p: { type, text } })([{ error: '5xx', page: 'p' }])?.find(
      'no_backend',
      503,
      undefined,
    )
    assert.equal(page?.render(VALUES), rendered)
    assert.equal(page?.contentType, contentType)
  })
}

for (const { accept, type, weight } of [
  { accept: undefined, type: 'text/html', weight: 1 },
  { accept: ' ', type: 'text/html', weight: 1 },
  { accept: 'text/*;q=0.3, */*;q=0.1', type: 'text/html', weight: 0.3 },
  { accept: 'TEXT/HTML;q=0, */*', type: 'text/html', weight: 0 },
  { accept: 'text/html; q=oops', type: 'text/html', weight: 0 },
  { accept: 'image/*', type: 'text/html', weight: 0 },
]) {
  test(`Accept: ${accept} gives ${type} the weight ${weight}`, () => assert.equal(weightOf(accept, type), weight))
}
