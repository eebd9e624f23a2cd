import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseConfig } from '../../src/config/parse.ts'
import { problemsOf } from './problems-of.ts'

for (const { name, text, problems } of [
  {
    name: 'an unknown key is told with the nearest known one',
    text: 'server:\n  prot: 8000\n',
    problems: ['2:3 error unknown key "prot" in server | hint: did you mean "port"?'],
  },
  {
    name: 'an unknown key of a route is told by its place',
    text: 'server:\n  reverse_proxy:\n    - path: /a\n      hots: b\n',
    problems: ['4:7 error unknown key "hots" in server.reverse_proxy[0] | hint: did you mean "host"?'],
  },
  {
    name: 'an unknown key that is like no other has no hint',
    text: 'server:\n  magic: true\n',
    problems: ['2:3 error unknown key "magic" in server'],
  },
  {
    name: 'a key that belongs elsewhere is told where',
    text: 'reverse_proxy: []\n',
    problems: ['1:1 error unknown key "reverse_proxy" | hint: did you mean "server.reverse_proxy"?'],
  },
  {
    name: 'the words that every object has are unknown keys too',
    text: 'constructor: 1\n__proto__: 2\nserver: { toString: 1 }\n',
    problems: [
      '1:1 error unknown key "constructor"',
      '2:1 error unknown key "__proto__"',
      '3:11 error unknown key "toString" in server',
    ],
  },
  {
    name: 'an unknown key in a map inside of a union is told',
    text: 'server: { reverse_proxy: [{ ssl: { verfy: no } }] }\n',
    problems: ['1:36 error unknown key "verfy" in server.reverse_proxy[0].ssl | hint: did you mean "verify"?'],
  },
  {
    name: 'a value of another type is told with what was expected',
    text: 'server:\n  port: abc\n  host: 5\n',
    problems: [
      '2:9 error invalid value "abc" for server.port | expected: a whole number from 0 to 65535',
      '3:9 error invalid value 5 for server.host | expected: a host name or an IP address, or a list of them',
    ],
  },
  {
    name: 'a map or a list where one value belongs is told',
    text: 'server:\n  port: { a: 1 }\n  backlog: [1]\n',
    problems: [
      '2:9 error invalid value {…} for server.port | expected: a whole number from 0 to 65535',
      '3:12 error invalid value […] for server.backlog | expected: a whole number from 1 to 65535',
    ],
  },
  {
    name: 'a value where a section belongs is told',
    text: 'server: 8000\nssl: true\n',
    problems: [
      '1:9 error invalid value 8000 for server | expected: a map of settings',
      '2:6 error invalid value true for ssl | expected: a map of settings',
    ],
  },
  {
    name: 'a file that is a list is told',
    text: '- server\n',
    problems: ['1:1 error invalid value […] for the file | expected: a map of settings'],
  },
  {
    name: 'a key without a value is told, because its default may surprise',
    text: 'server:\n  reverse_proxy:\n    - path:\n      host: a\n',
    problems: [
      '3:7 error server.reverse_proxy[0].path has no value | expected: a path that starts with a slash' +
        ' | hint: leave the key out for its default',
    ],
  },
  {
    name: 'a missing key is told at the key above it',
    text: 'server:\n  reverse_proxy:\n    - path: /a\n      redirect: { status: 301 }\n',
    problems: [
      '4:7 error server.reverse_proxy[0].redirect.to is missing' +
        ' | expected: a path that starts with a slash, or an http(s) URL',
    ],
  },
  {
    name: 'a misspelt word is told with the nearest one',
    text: 'logging: { level: infoo }\nserver: { workers: atuo }\n',
    problems: [
      '1:19 error invalid value "infoo" for logging.level' +
        ' | expected: one of DEBUG, INFO, WARNING, ERROR, CRITICAL, WARN, FATAL | hint: did you mean "INFO"?',
      '2:20 error invalid value "atuo" for server.workers' +
        ' | expected: auto, or a whole number from 1 to 1024 | hint: did you mean "auto"?',
    ],
  },
  {
    name: 'a status that no redirect has is told',
    text: 'server: { reverse_proxy: [{ redirect: { to: /a, status: 305 } }] }\n',
    problems: [
      '1:57 error invalid value 305 for server.reverse_proxy[0].redirect.status | expected: one of 301, 302, 303, 307, 308',
    ],
  },
  {
    name: 'an item of a list is told by its place',
    text: 'server:\n  trusted_proxies:\n    - 10.0.0.0/8\n    - 10.0.0.0/40\n',
    problems: [
      '4:7 error invalid value "10.0.0.0/40" for server.trusted_proxies[1]' +
        ' | expected: an address range such as 10.0.0.0/8 or fd00::/8, or one address',
    ],
  },
  {
    name: 'a value behind an alias is told where it stands',
    text: 'server:\n  reverse_proxy:\n    - &a { path: /a, port: 0 }\n    - { <<: *a, path: /b }\n',
    problems: [
      '3:28 error invalid value 0 for server.reverse_proxy[0].port | expected: a whole number from 1 to 65535',
      '3:28 error invalid value 0 for server.reverse_proxy[1].port | expected: a whole number from 1 to 65535',
    ],
  },
  {
    name: 'PyServe names a format version, and there is no third',
    text: 'version: 3\n',
    problems: ['1:10 error invalid value 3 for version | expected: 1 or 2'],
  },
]) {
  test(name, () => assert.deepEqual(problemsOf(text), problems))
}

test('all mistakes of a file are told in one run, in their order', () => {
  const text = `server:
  prot: 1
  redirect_instructions:
    - x: /y
  reverse_proxy:
    - path: /a
    - path: /b
      hots: c
    - path: /a
    - path: \${NONE}
ssl:
  redirect_http: true
  min_version: SSLv3
logging:
  level: LOUD
`
  assert.deepEqual(problemsOf(text), [
    '2:3 error unknown key "prot" in server | hint: did you mean "port"?',
    '4:7 error invalid path "x" in server.redirect_instructions | expected: a path that starts with a slash | hint: did you mean "/x"?',
    '8:7 error unknown key "hots" in server.reverse_proxy[1] | hint: did you mean "host"?',
    '9:13 error the route on line 6 takes the same requests for /a | expected: another path, other domains or other methods',
    `10:13 error the environment variable NONE is not set | expected: a value for it, or a default: \${NONE:-default}`,
    '12:18 error ssl.redirect_http leads nowhere while ssl.enabled is false',
    '13:16 error invalid value "SSLv3" for ssl.min_version | expected: one of TLSv1.2, TLSv1.3',
    '15:10 error invalid value "LOUD" for logging.level | expected: one of DEBUG, INFO, WARNING, ERROR, CRITICAL, WARN, FATAL',
  ])
})

test('a mistake of syntax is told alone: nothing else is sure', () => {
  assert.deepEqual(problemsOf('server:\n  prot: "8000\n'), ['2:14 error missing closing "quote'])
})

for (const { name, text, env, problems } of [
  { name: 'a plain reference can be a number', text: `server: \n  port: \${P}\n`, env: { P: '1' }, problems: [] },
  {
    name: 'a quoted reference in braces can be a number too',
    text: `server: { port: "\${P}", workers: "\${W:-auto}" }\n`,
    env: { P: '1' },
    problems: [],
  },
  {
    name: 'a reference that looks like a number can be a text',
    text: `server:\n  reverse_proxy:\n    - name: \${N}\n      respond: { body: "\${N}" }\n`,
    env: { N: '42' },
    problems: [],
  },
  {
    name: 'what a variable holds is shown where it is wrong',
    text: `server:\n  port: \${P}\n`,
    env: { P: 'http' },
    problems: ['2:9 error invalid value "http" for server.port | expected: a whole number from 0 to 65535'],
  },
  {
    name: 'a variable cannot bring structure in',
    text: `server:\n  reverse_proxy:\n    - path: /a\n      host: \${H}\n`,
    env: { H: 'a\n      ssl: {verify: false}' },
    problems: [
      '4:13 error invalid value "a\\n      ssl: {verify: false}" for server.reverse_proxy[0].host' +
        ' | expected: a host name or an IP address',
    ],
  },
]) {
  test(name, () => assert.deepEqual(problemsOf(text, { env }), problems))
}

for (const text of [
  '',
  '# nothing\n',
  'server:\n',
  'server:\nssl:\nlogging:\nhttp:\n',
  'server:\n  reverse_proxy:\n  timeouts:\n  limits:\n  redirect_instructions:\n  trusted_proxies:\n',
  'server:\n  reverse_proxy:\n    - path: /a\n      headers:\n      timeouts:\n      domains:\n',
  'logging: { log_file: null }\n',
  'version: 1\n',
  'version: 2\n',
]) {
  test(`${JSON.stringify(text)} has no problem`, () => assert.deepEqual(problemsOf(text), []))
}

for (const { text, problem } of [
  { text: 'http: { static_dir: ./static }\n', problem: '1:9 warning http.static_dir has no effect' },
  { text: 'http: { templates_dir: ./t }\n', problem: '1:9 warning http.templates_dir has no effect' },
  { text: 'extensions:\n  - type: routing\n    config: { x: 1 }\n', problem: '1:1 warning extensions has no effect' },
  { text: 'server: { default_root: true }\n', problem: '1:11 warning server.default_root has no effect' },
]) {
  test(`what PyServe serves and a proxy does not is one warning: ${problem.split(' ')[2]}`, () => {
    assert.deepEqual(problemsOf(text), [`${problem}: a reverse proxy serves no files of its own`])
  })
}

test('websocket is noted once, however many routes have it', () => {
  const text = 'server:\n  reverse_proxy:\n    - { path: /a, websocket: true }\n    - { path: /b, websocket: false }\n'
  assert.deepEqual(problemsOf(text), ['3:19 note websocket has no effect: every route passes WebSocket connections'])
})

const words = fc.constantFrom(
  ...['server', 'ssl', 'reverse_proxy', 'path', 'port', 'host', 'enabled', 'redirect_instructions', 'headers', 'set'],
  ...[': ', ':', '\n', '\n  ', '\n    - ', '- ', '{', '}', '[', ']', ',', '"', "'", '&a ', '*a', '<<: ', '!!x ', '|\n'],
  ...[
    '/api',
    '8000',
    'true',
    'null',
    `\${X}`,
    `\${X:-1}`,
    '$',
    '#',
    '\t',
    '---\n',
    '%YAML 1.1\n',
    '? ',
    '\ud800',
    '\0',
    'ы',
  ],
)

test('no text makes the parser throw', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(words, { maxLength: 40 }).map((parts) => parts.join('')),
    fc.json(),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const { report } = parseConfig(text, 'config.yaml', { env: {}, overrides: {} })
      for (const { line, column } of report.list()) assert.ok(line >= 1 && column >= 1)
    }),
    { numRuns: 1500 },
  )
})
