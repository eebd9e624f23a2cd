import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { problemsOf, summarize } from './problems-of.ts'

const directory = mkdtempSync(join(tmpdir(), 'pyserve-pages-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const at = (name: string) => join(directory, name)

writeFileSync(at('sorry.html'), '<p>sorry</p>')
writeFileSync(at('same.HTM'), '<p>sorry</p>')
writeFileSync(at('sorry.json'), '{}')
writeFileSync(at('broken.html'), Buffer.from([0xff, 0xfe]))
writeFileSync(at('long.html'), 'x'.repeat(256 * 1024 + 1))
writeFileSync(at('page.php'), '')
mkdirSync(at('dir.html'))

async function load(text: string) {
  writeFileSync(at('config.yaml'), text)
  return loadConfig(at('config.yaml'), { env: {}, overrides: {}, resolveHosts: false })
}

const serverPages = (pages: string) => `server:\n  error_pages: ${pages}\n`

test('pages are read once, watched, and named by what they say', async () => {
  const text = `${serverPages('{ 5xx: sorry.html, 404: [./same.HTM, sorry.json] }')}  reverse_proxy:\n    - { path: /a, error_pages: { NO_backend: sorry.json } }\n`
  const result = await load(text)
  assert.ok(result.ok, JSON.stringify(result.problems))
  const { pages, server, routes } = result.config
  assert.deepEqual(new Set(result.watchFiles), new Set(['config.yaml', 'sorry.html', 'same.HTM', 'sorry.json'].map(at)))
  const of = (type: string) => Object.keys(pages).find((key) => pages[key]?.type === type)
  assert.equal(Object.keys(pages).length, 2)
  assert.equal(pages[of('html') ?? '']?.text, '<p>sorry</p>')
  // A map in JavaScript has its numbers first.
  assert.deepEqual(server.errorPages, [
    { error: '404', page: of('html') },
    { error: '404', page: of('json') },
    { error: '5xx', page: of('html') },
  ])
  assert.deepEqual(routes[0]?.errorPages, [{ error: 'no_backend', page: of('json') }])
})

for (const { file, reason } of [
  { file: 'gone.html', reason: 'does not exist' },
  { file: 'dir.html', reason: 'is a directory' },
  { file: 'broken.html', reason: 'is not a text in UTF-8' },
  { file: 'long.html', reason: 'is longer than 256 KB' },
  { file: 'page.php', reason: 'is no page | expected: a file .html, .htm, .json or .txt' },
]) {
  test(`a page that ${reason} is told with its line, and watched`, async () => {
    const result = await load(serverPages(`{ 502: ${file} }`))
    assert.equal(result.ok, false)
    assert.deepEqual(result.problems.map(summarize), [`2:23 error ${at(file)} ${reason}`])
    assert.ok(result.watchFiles.includes(at(file)))
  })
}

test('a page is watched where the file has other mistakes too', async () => {
  const result = await load('server: { port: x, error_pages: { 502: [sorry.html], 503: sorry.json } }\n')
  assert.equal(result.ok, false)
  assert.deepEqual(new Set(result.watchFiles), new Set(['config.yaml', 'sorry.html', 'sorry.json'].map(at)))
})

test('only errors have pages', () => {
  const expected = 'expected: a status from 400 to 599, 4xx, 5xx, or a reason such as no_backend'
  assert.deepEqual(problemsOf(serverPages('{ 200: a.html, 600: a.html, no_bakend: a.html, client_gone: a.html }')), [
    `2:18 error there is no error "200" | ${expected}`,
    `2:31 error there is no error "600" | ${expected}`,
    `2:44 error there is no error "no_bakend" | ${expected} | hint: did you mean "no_backend"?`,
    `2:63 error there is no error "client_gone" | ${expected}`,
  ])
  assert.deepEqual(problemsOf('server:\n  error_pages:\n    5xx: a.html\n    5XX: b.html\n'), [
    '4:5 error the error 5XX has its pages on line 3 already',
  ])
  assert.deepEqual(problemsOf(serverPages('{ 502: [] }')), [
    '2:23 error invalid value […] for server.error_pages.502 | expected: a file, or a list of files',
  ])
})
