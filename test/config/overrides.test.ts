import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigOverrides } from '../../src/config/overrides.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { problemsOf } from './problems-of.ts'

const FILE = 'server: { host: 10.0.0.1, port: 1000 }\nlogging: { level: ERROR }\n'

function parse(text: string, env: NodeJS.ProcessEnv, overrides: ConfigOverrides = {}) {
  const { parts } = parseConfig(text, 'config.yaml', { env, overrides, workingDirectory: '/work' })
  assert.ok(parts)
  return parts
}

test('the command line wins over the environment, and that over the file', () => {
  const env = { PYSERVE_HOST: '10.0.0.2', PYSERVE_PORT: '2000', PYSERVE_LOG_LEVEL: 'warning' }
  assert.equal(parse(FILE, {}).server.port, 1000)
  assert.equal(parse(FILE, env).server.port, 2000)
  assert.equal(parse(FILE, env).server.host, '10.0.0.2')
  assert.equal(parse(FILE, env).logging.level, 'warn')
  const { server, logging } = parse(FILE, env, { host: '::1', port: '3000', debug: true })
  assert.deepEqual([server.host, server.port, logging.level], ['::1', 3000, 'debug'])
})

test('every variable has its key', () => {
  const { server, ssl, logging } = parse('', {
    PYSERVE_HOST: '0.0.0.0',
    PYSERVE_PORT: '9000',
    PYSERVE_WORKERS: '3',
    PYSERVE_LOG_LEVEL: 'CRITICAL',
    PYSERVE_LOG_FILE: 'logs/a.log',
    PYSERVE_SSL_ENABLED: '1',
    PYSERVE_SSL_CERT: 'c.pem',
    PYSERVE_SSL_KEY: '/k.pem',
  })
  assert.deepEqual([server.host, server.port, server.workers], ['0.0.0.0', 9000, 3])
  assert.deepEqual([logging.level, logging.log_file], ['fatal', '/work/logs/a.log'])
  assert.deepEqual([ssl.enabled, ssl.cert_file, ssl.key_file], [true, '/work/c.pem', '/k.pem'])
})

test('every flag has its key', () => {
  const { ssl, routes } = parse('', {}, { ssl: true, cert: 'c.pem', key: 'k.pem', proxy: 'a.internal:3000/api' })
  assert.deepEqual([ssl.enabled, ssl.cert_file, ssl.key_file], [true, '/work/c.pem', '/work/k.pem'])
  assert.deepEqual([routes[0]?.host, routes[0]?.port, routes[0]?.path], ['a.internal', 3000, '/api'])
})

test('flags that are off and variables that are empty change nothing', () => {
  const env = { PYSERVE_PORT: '', PYSERVE_HOST: '' }
  const { server, ssl, logging } = parse(FILE, env, { debug: false, ssl: false, proxy: [] })
  assert.deepEqual([server.host, server.port, ssl.enabled, logging.level], ['10.0.0.1', 1000, false, 'error'])
})

for (const { proxy, host, port, path } of [
  { proxy: 'localhost', host: 'localhost', port: 80, path: '/' },
  { proxy: 'localhost:3000', host: 'localhost', port: 3000, path: '/' },
  { proxy: 'localhost/api/', host: 'localhost', port: 80, path: '/api' },
  { proxy: '[::1]:3000/a/b', host: '::1', port: 3000, path: '/a/b' },
]) {
  test(`--proxy ${proxy} is a route behind those of the file`, () => {
    const [first, second] = parse('server: { reverse_proxy: [{ path: /own }] }\n', {}, { proxy }).routes
    assert.equal(first?.path, '/own')
    assert.deepEqual([second?.host, second?.port, second?.path], [host, port, path])
  })
}

test('--proxy may stand several times', () => {
  const { routes } = parse('', {}, { proxy: ['a:1/a', 'b:2/b'] })
  assert.deepEqual(
    routes.map((route) => route?.path),
    ['/a', '/b'],
  )
})

for (const { name, options, problems } of [
  {
    name: 'a variable',
    options: { env: { PYSERVE_PORT: 'http' } },
    problems: ['PYSERVE_PORT error invalid value "http" for server.port | expected: a whole number from 0 to 65535'],
  },
  {
    name: 'a flag',
    options: { overrides: { port: '99999' } },
    problems: ['--port error invalid value 99999 for server.port | expected: a whole number from 0 to 65535'],
  },
]) {
  test(`a mistake in ${name} is told by its name, without a line`, () =>
    assert.deepEqual(problemsOf(FILE, options), problems))
}

test('a mistake in a route of the command line is told by the flag', () => {
  assert.deepEqual(problemsOf('', { overrides: { proxy: ['a:b', 'a:99999', 'a:1/x?y', 'http://a'] } }), [
    '--proxy error invalid value "a:b" | expected: host:port/path',
    '--proxy error invalid value "http://a" | expected: host:port/path',
    '--proxy error invalid value 99999 for server.reverse_proxy[0].port | expected: a whole number from 1 to 65535',
    '--proxy error invalid value "/x?y" for server.reverse_proxy[1].path | expected: a path without ? and #',
  ])
})

test('a route of the command line that the file has already names both', () => {
  const text = 'server:\n  reverse_proxy:\n    - path: /a\n'
  assert.deepEqual(problemsOf(text, { overrides: { proxy: 'b/a/' } }), [
    '--proxy error the route on line 3 takes the same requests for /a | expected: another path, other domains or other methods',
  ])
})

test('what a variable made necessary is told by that variable', () => {
  const [problem] = problemsOf('', { env: { PYSERVE_SSL_CERT: '/c.pem' } })
  assert.equal(problem, 'PYSERVE_SSL_CERT warning the certificate is not used: ssl.enabled is false unless it is set')
})

for (const { name, env, problems } of [
  {
    name: 'an unknown variable is a warning with the nearest name',
    env: { PYSERVE_PROT: '1' },
    problems: ['PYSERVE_PROT warning unknown variable PYSERVE_PROT | hint: did you mean "PYSERVE_PORT"?'],
  },
  {
    name: 'a variable of what is not served has no effect',
    env: { PYSERVE_STATIC_DIR: './static' },
    problems: [
      'PYSERVE_STATIC_DIR warning PYSERVE_STATIC_DIR has no effect: a reverse proxy serves no files of its own',
    ],
  },
  { name: 'variables of other purposes are left alone', env: { PYSERVE_RUN_DIR: '/run', HOME: '/root' }, problems: [] },
  {
    name: 'what Kubernetes sets for a service named pyserve is left alone',
    env: {
      PYSERVE_PORT: 'tcp://10.0.0.1:80',
      PYSERVE_PORT_80_TCP_ADDR: '10.0.0.1',
      PYSERVE_SERVICE_HOST: '10.0.0.1',
    },
    problems: ['PYSERVE_PORT warning PYSERVE_PORT is left alone: it is what Kubernetes sets for a service'],
  },
]) {
  test(name, () => assert.deepEqual(problemsOf('', { env }), problems))
}

test('a variable that the file refers to is not unknown', () => {
  const text = `server: { port: "\${PYSERVE_MY_PORT}" }\n`
  assert.deepEqual(problemsOf(text, { env: { PYSERVE_MY_PORT: '1' } }), [])
})

test('a section that is no map stays a mistake of its own', () => {
  assert.deepEqual(problemsOf('server: 5\n', { env: { PYSERVE_PORT: '1' } }), [
    '1:9 error invalid value 5 for server | expected: a map of settings',
  ])
})
