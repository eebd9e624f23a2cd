import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { BackendConfig, Config, RouteAction } from '../../src/config/config.ts'
import { type LoadOptions, loadConfig } from '../../src/config/load.ts'
import { upstreamOf } from '../helpers/built-config.ts'
import { createAuthority, createCertificate } from '../helpers/certificates.ts'
import { summarize } from './problems-of.ts'

const directory = mkdtempSync(join(tmpdir(), 'pyserve-load-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const file = join(directory, 'config.yaml')
const authority = createAuthority()
const pair = createCertificate({ names: ['a.com', '*.a.com'] })
const second = createCertificate({ names: ['b.com'] })
const expired = createCertificate({ names: ['c.com'], expired: true })

function load(text: string | Buffer, options: Partial<LoadOptions> = {}) {
  writeFileSync(file, text)
  return loadConfig(file, { env: {}, overrides: {}, resolveHosts: false, ...options })
}

async function loadSound(text: string, options: Partial<LoadOptions> = {}): Promise<Config> {
  const loaded = await load(text, options)
  assert.deepEqual(loaded.problems.map(summarize), [])
  assert.ok(loaded.ok)
  return loaded.config
}

test('an empty file is all defaults', async () => {
  assert.deepEqual(await loadSound(''), {
    file,
    server: {
      listen: [{ host: '127.0.0.1', port: 8000, tls: false, redirectToTlsPort: undefined }],
      backlog: 511,
      workers: availableParallelism(),
      engine: 'native',
      trustedProxies: [],
      nameServers: [],
      timeouts: {
        headerMs: 10_000,
        bodyIdleMs: 30_000,
        writeIdleMs: 30_000,
        keepAliveMs: 75_000,
        drainMs: 30_000,
        websocketDrainMs: 300_000,
      },
      limits: { headerBytes: 16_384, headers: 100, bodyBytes: 0, connections: 10_000 },
      redis: undefined,
      errorPages: [],
    },
    redirects: [],
    locations: [],
    upstreams: [],
    routes: [],
    pages: {},
    tls: undefined,
    logging: {
      level: 'info',
      logFile: undefined,
      consoleOutput: true,
      useColors: true,
      useRotation: false,
      maxLogBytes: 10_485_760,
      backupCount: 5,
      structuredLogs: false,
      access: true,
    },
    admin: { host: '127.0.0.1', port: 0 },
  })
})

test('an empty route is all defaults', async () => {
  const config = await loadSound('server: { reverse_proxy: [{}] }\n')
  const noRules = { set: [], remove: [] }
  assert.deepEqual(config.routes, [
    {
      name: '/',
      path: '/',
      domains: [],
      methods: [],
      stripPath: true,
      encodedSlashes: 'keep',
      preserveHost: false,
      headers: { request: noRules, response: noRules },
      timeouts: { connectMs: 5000, responseMs: 60_000, idleMs: 60_000, websocketIdleMs: 3_600_000, totalMs: 0 },
      retries: {
        attempts: 2,
        on: { connect: true, reset: true, timeout: false, statuses: [502, 503, 504] },
        methods: ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'],
        budget: 0.2,
        bufferBytes: 65_536,
        backoffMs: 25,
      },
      bodyBytes: undefined,
      rateLimits: [],
      concurrency: 0,
      mirror: undefined,
      basicAuth: undefined,
      forwardAuth: undefined,
      access: { allow: [], deny: [] },
      cors: undefined,
      compression: undefined,
      errorPages: [],
      action: proxyTo('/', { host: 'localhost', port: 80, tls: undefined }),
    },
  ])
})

test('every key of a route arrives', async () => {
  writeFileSync(join(directory, 'ca.pem'), authority.certPem)
  const config = await loadSound(`server:
  reverse_proxy:
    - path: /api/
      host: "[::1]"
      ssl:
        verify: no
        ca_file: ca.pem
        server_name: inner.example
        cert_file: ${pair.certFile}
        key_file: ${pair.keyFile}
      name: api
      domains: [A.com, a.com, "*.b.com"]
      methods: [get, GET, post]
      strip_path: false
      encoded_slashes: refuse
      preserve_host: true
      headers:
        request: { set: { X-A: 1, X-B: " b " }, remove: [X-C, x-c] }
        response: { remove: [Server] }
      timeouts: { connect: 1s, response: 2s, idle: 3s, websocket_idle: 4s, total: 5s }
      retries: { attempts: 3, on: [timeout, 500], methods: [idempotent, post], budget: 7.5%, buffer: 0, backoff: 0 }
      limits: { body_bytes: 1kb }
      rate_limit: { requests: 6, per: 7s, burst: 8, key: header:X-Key, dry_run: true }
      concurrency: 9
      allow: [10.0.0.0/8]
      deny: [10.1.0.1, "2001:db8::/32"]
    - { path: /r, redirect: { to: "https://a.com/x" } }
    - { path: /s, respond: { status: 503, body: "down\\n", content_type: text/html } }
    - { path: /t, ssl: true }
`)
  const [api, redirect, respond, secure] = config.routes
  assert.deepEqual(api, {
    name: 'api',
    path: '/api',
    domains: ['a.com', '*.b.com'],
    methods: ['GET', 'POST'],
    stripPath: false,
    encodedSlashes: 'refuse',
    preserveHost: true,
    headers: {
      request: {
        set: [
          ['X-A', '1'],
          ['X-B', 'b'],
        ],
        remove: ['x-c'],
      },
      response: { set: [], remove: ['server'] },
    },
    timeouts: { connectMs: 1000, responseMs: 2000, idleMs: 3000, websocketIdleMs: 4000, totalMs: 5000 },
    retries: {
      attempts: 3,
      on: { connect: false, reset: false, timeout: true, statuses: [500] },
      methods: ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'POST'],
      budget: 0.075,
      bufferBytes: 0,
      backoffMs: 0,
    },
    bodyBytes: 1024,
    rateLimits: [
      { requests: 6, perMs: 7000, burst: 8, key: { kind: 'header', name: 'x-key' }, dryRun: true, store: 'memory' },
    ],
    concurrency: 9,
    mirror: undefined,
    basicAuth: undefined,
    forwardAuth: undefined,
    access: { allow: ['10.0.0.0/8'], deny: ['10.1.0.1/32', '2001:db8::/32'] },
    cors: undefined,
    compression: undefined,
    errorPages: [],
    action: proxyTo('api', {
      host: '::1',
      port: 443,
      tls: {
        verify: false,
        serverName: 'inner.example',
        caPem: authority.certPem,
        certPem: pair.certPem,
        keyPem: pair.keyPem,
      },
    }),
  })
  assert.deepEqual(redirect?.action, { kind: 'redirect', status: 302, to: 'https://a.com/x' })
  assert.deepEqual(respond?.action, { kind: 'respond', status: 503, body: 'down\n', contentType: 'text/html' })
  assert.deepEqual(
    secure?.action,
    proxyTo('/t', {
      host: 'localhost',
      port: 443,
      tls: { verify: true, serverName: undefined, caPem: undefined, certPem: undefined, keyPem: undefined },
    }),
  )
})

test('every key of server, logging and admin arrives', async () => {
  const { server, redirects, logging, admin } = await loadSound(`server:
  host: [127.0.0.1, "[::1]"]
  port: 0
  backlog: 5
  workers: 3
  trusted_proxies: [10.0.0.1, fd00::/8]
  timeouts: { header: 1, body_idle: 2, write_idle: 3, keep_alive: 4, drain: 0, websocket_drain: 0 }
  limits: { header_bytes: 8kb, headers: 50, body_bytes: 1mb, connections: 7 }
  redirect_instructions: { /home: /index.html, /о: /x }
logging:
  level: Warning
  log_file: logs/a.log
  console_output: off
  use_colors: no
  use_rotation: on
  max_log_size: 1mb
  backup_count: 0
  structured_logs: true
  access: false
admin: { host: "[::1]", port: 9180 }
`)
  assert.deepEqual(
    server.listen.map(({ host, port }) => [host, port]),
    [
      ['127.0.0.1', 0],
      ['::1', 0],
    ],
  )
  assert.deepEqual([server.backlog, server.workers, server.trustedProxies], [5, 3, ['10.0.0.1/32', 'fd00::/8']])
  assert.deepEqual(Object.values(server.timeouts), [1000, 2000, 3000, 4000, 0, 0])
  assert.deepEqual(Object.values(server.limits), [8192, 50, 1_048_576, 7])
  assert.deepEqual(redirects, [
    { from: '/home', to: '/index.html' },
    { from: '/%D0%BE', to: '/x' },
  ])
  assert.deepEqual(logging, {
    level: 'warn',
    logFile: join(directory, 'logs/a.log'),
    consoleOutput: false,
    useColors: false,
    useRotation: true,
    maxLogBytes: 1_048_576,
    backupCount: 0,
    structuredLogs: true,
    access: false,
  })
  assert.deepEqual(admin, { host: '::1', port: 9180 })
})

const SSL = `ssl:\n  enabled: true\n  cert_file: ${pair.certFile}\n  key_file: ${pair.keyFile}\n`

for (const { name, text, listen } of [
  { name: 'TLS without a port of its own takes the place of HTTP', text: SSL, listen: ['8000 tls'] },
  {
    name: 'TLS with a port of its own stands beside HTTP',
    text: `${SSL}  port: 8443\n`,
    listen: ['8000', '8443 tls'],
  },
  {
    name: 'plain requests are redirected to the TLS port',
    text: `${SSL}  port: 8443\n  redirect_http: true\n`,
    listen: ['8000 to 8443', '8443 tls'],
  },
  {
    name: 'every host has every port',
    text: `server: { host: [a, b] }\n${SSL}  port: 8443\n`,
    listen: ['8000', '8000', '8443 tls', '8443 tls'],
  },
]) {
  test(name, async () => {
    const { server } = await loadSound(text)
    const shown = server.listen.map(({ port, tls, redirectToTlsPort: to }) =>
      [port, ...(tls ? ['tls'] : []), ...(to === undefined ? [] : ['to', to])].join(' '),
    )
    assert.deepEqual(shown, listen)
  })
}

test('a pair is read with the names of its certificate, and others follow it', async () => {
  const further = `  certificates: [{ cert_file: ${second.certFile}, key_file: ${second.keyFile} }]\n  min_version: tlsv1.3\n`
  const { tls } = await loadSound(SSL + further)
  assert.deepEqual(tls, {
    certificates: [
      {
        certFile: pair.certFile,
        keyFile: pair.keyFile,
        certPem: pair.certPem,
        keyPem: pair.keyPem,
        names: ['a.com', '*.a.com'],
      },
      {
        certFile: second.certFile,
        keyFile: second.keyFile,
        certPem: second.certPem,
        keyPem: second.keyPem,
        names: ['b.com'],
      },
    ],
    minVersion: 'TLSv1.3',
  })
})

test('the default pair is not asked for where others are named', async () => {
  const { tls } = await loadSound(
    `ssl: { enabled: true, certificates: [{ cert_file: ${second.certFile}, key_file: ${second.keyFile} }] }\n`,
  )
  assert.deepEqual(
    tls?.certificates.map(({ names }) => names),
    [['b.com']],
  )
})

test('the default pair lies beside the file', async () => {
  mkdirSync(join(directory, 'ssl'), { recursive: true })
  writeFileSync(join(directory, 'ssl/cert.pem'), pair.certPem)
  writeFileSync(join(directory, 'ssl/key.pem'), pair.keyPem)
  const loaded = await load('ssl: { enabled: true }\n')
  rmSync(join(directory, 'ssl'), { recursive: true })
  assert.ok(loaded.ok)
  assert.deepEqual(loaded.watchFiles, [file, join(directory, 'ssl/cert.pem'), join(directory, 'ssl/key.pem')])
})

for (const { name, text, problems } of [
  {
    name: 'a pair that is missing',
    text: 'ssl:\n  enabled: true\n  cert_file: none.pem\n',
    problems: [
      `1:1 error ${join(directory, 'ssl/key.pem')} does not exist`,
      `3:14 error ${join(directory, 'none.pem')} does not exist`,
    ],
  },
  {
    name: 'an expired certificate',
    text: `ssl:\n  enabled: true\n  cert_file: ${expired.certFile}\n  key_file: ${expired.keyFile}\n`,
    problems: [`3:14 error ${expired.certFile} expired at TIME`],
  },
  {
    name: 'a key of another certificate',
    text: `ssl:\n  enabled: true\n  cert_file: ${pair.certFile}\n  key_file: ${second.keyFile}\n`,
    problems: [`4:13 error ${second.keyFile} does not belong to the certificate`],
  },
  {
    name: 'a directory in place of a certificate',
    text: `ssl:\n  enabled: true\n  cert_file: ${directory}\n  key_file: ${pair.keyFile}\n`,
    problems: [`3:14 error ${directory} is a directory`],
  },
  {
    name: 'a further pair',
    text: `${SSL}  certificates:\n    - cert_file: ${expired.certFile}\n      key_file: none.pem\n`,
    problems: [`7:17 error ${join(directory, 'none.pem')} does not exist`],
  },
  {
    name: 'files of a backend',
    text: `server:\n  reverse_proxy:\n    - ssl: { ca_file: none.pem, cert_file: ${expired.certFile}, key_file: ${expired.keyFile} }\n`,
    problems: [
      `3:23 error ${join(directory, 'none.pem')} does not exist`,
      `3:44 error ${expired.certFile} expired at TIME`,
    ],
  },
  {
    name: 'authorities of a backend that are none',
    text: `server:\n  reverse_proxy:\n    - ssl: { ca_file: ${pair.keyFile} }\n`,
    problems: [`3:23 error ${pair.keyFile} has no certificate in PEM form`],
  },
  {
    name: 'certificates beside other mistakes',
    text: `ssl:\n  enabled: true\n  prot: 1\n  cert_file: ${expired.certFile}\n  key_file: ${expired.keyFile}\n`,
    problems: [
      '3:3 error unknown key "prot" in ssl | hint: did you mean "port"?',
      `4:14 error ${expired.certFile} expired at TIME`,
    ],
  },
]) {
  test(`${name} cannot be loaded`, async () => {
    const loaded = await load(text)
    assert.equal(loaded.ok, false)
    assert.deepEqual(
      loaded.problems.map(summarize).map((line) => line.replace(/\d{4}-\d\d-\d\dT\S+/, 'TIME')),
      problems,
    )
  })
}

test('certificates are left alone while TLS is off', async () => {
  const { tls } = await loadSound('ssl: { enabled: false, cert_file: none.pem, key_file: none.pem }\n')
  assert.equal(tls, undefined)
})

for (const { name, text, problem } of [
  { name: 'a directory', text: undefined, problem: `${directory} error ${directory} is a directory` },
  {
    name: 'a text that is not UTF-8',
    text: Buffer.from([0x61, 0xff]),
    problem: `${file} error ${file} is not a text in UTF-8`,
  },
]) {
  test(`${name} is no configuration`, async () => {
    const options = { env: {}, overrides: {} }
    const loaded = text === undefined ? await loadConfig(directory, options) : await load(text)
    assert.equal(loaded.ok, false)
    assert.deepEqual(loaded.problems.map(summarize), [`${problem} | expected: a readable YAML file`])
  })
}

test('a file that is not there is watched for', async () => {
  const loaded = await loadConfig('none.yaml', { env: {}, overrides: {}, workingDirectory: directory })
  assert.equal(loaded.ok, false)
  assert.deepEqual(loaded.problems.map(summarize), [
    'none.yaml error none.yaml does not exist | expected: a readable YAML file',
  ])
  assert.deepEqual(loaded.watchFiles, [join(directory, 'none.yaml')])
})

test('every file that is named is watched, also where loading fails', async () => {
  const loaded = await load(`server:
  reverse_proxy:
    - { path: bad, ssl: { ca_file: ca.pem } }
    - { path: /a, ssl: { ca_file: /x/ca.pem } }
ssl: { enabled: true, cert_file: ../c.pem, key_file: 5, certificates: [{ cert_file: d.pem }] }
`)
  assert.equal(loaded.ok, false)
  assert.deepEqual(
    loaded.watchFiles.toSorted(),
    [file, '/x/ca.pem', join(directory, 'ca.pem'), join(directory, '../c.pem'), join(directory, 'd.pem')].toSorted(),
  )
})

test('relative paths of the file start at its folder, those from outside at the working directory', async () => {
  writeFileSync(join(directory, 'own.pem'), pair.certPem)
  writeFileSync(join(directory, 'own-key.pem'), pair.keyPem)
  const inFile = await loadSound('ssl: { enabled: true, cert_file: own.pem, key_file: own-key.pem }\n', {
    workingDirectory: '/',
  })
  assert.equal(inFile.tls?.certificates[0]?.certFile, join(directory, 'own.pem'))
  const overrides = { ssl: true, cert: 'own.pem', key: 'own-key.pem' }
  const fromOutside = await load('', { overrides, workingDirectory: '/nowhere' })
  assert.deepEqual(fromOutside.problems.map(summarize), [
    '--cert error /nowhere/own.pem does not exist',
    '--key error /nowhere/own-key.pem does not exist',
  ])
})

test('what is loaded is frozen to the last object, and plain data', async () => {
  const config = await loadSound(`${SSL}server: { reverse_proxy: [{ headers: { request: { set: { A: b } } } }] }\n`)
  const assertFrozen = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    assert.ok(Object.isFrozen(value))
    for (const item of Object.values(value)) assertFrozen(item)
  }
  assertFrozen(config)
  const { redirectToTlsPort: _, ...address } = config.server.listen[0] ?? {}
  assert.deepEqual(JSON.parse(JSON.stringify(config)).server.listen, [address])
})

test('a warning and a note come along with what is loaded', async () => {
  const soon = createCertificate({ names: ['a.com'], days: 3 })
  const loaded = await load(
    `ssl: { enabled: true, cert_file: ${soon.certFile}, key_file: ${soon.keyFile} }\nserver: { reverse_proxy: [{ websocket: true }] }\n`,
  )
  assert.ok(loaded.ok)
  assert.deepEqual(
    loaded.problems.map(({ severity }) => severity),
    ['warning', 'note'],
  )
})

test('a backend that does not resolve is one warning, and no reason not to load', async () => {
  const routes =
    '    - { path: /a, host: nowhere.invalid }\n    - { path: /b, host: nowhere.invalid }\n    - { path: /c }\n'
  const loaded = await load(`server:\n  reverse_proxy:\n${routes}`, { resolveHosts: true })
  assert.ok(loaded.ok)
  const [warning = '', ...others] = loaded.problems.map(summarize)
  assert.match(warning, /^3:25 warning the backend "nowhere.invalid" does not resolve: /)
  assert.deepEqual(others, [])
})

test('routes without a name are named by domains, path and, where that is not enough, methods', async () => {
  const config = await loadSound(`server:
  reverse_proxy:
    - { path: /api }
    - { path: /api, domains: [a.com, b.com] }
    - { path: /x, methods: [GET] }
    - { path: /x, methods: [POST, PUT] }
    - { path: /y, methods: [GET] }
    - { path: /z }
    - { path: /taken, name: /z }
`)
  assert.deepEqual(
    config.routes.map(({ name }) => name),
    ['/api', 'a.com,b.com/api', '/x GET', '/x POST,PUT', '/y', '/z (2)', '/z'],
  )
})

test('ten thousand routes are loaded', async () => {
  const routes = Array.from({ length: 10_000 }, (_, i) => `    - { path: /s${i}, host: 10.0.0.1, port: ${1 + i} }\n`)
  const config = await loadSound(`server:\n  reverse_proxy:\n${routes.join('')}`)
  assert.equal(config.routes.length, 10_000)
})

/** What becomes of a route with one backend. */
function proxyTo(name: string, backend: BackendConfig): RouteAction {
  return { kind: 'proxy', upstream: upstreamOf({ name, backends: [{ ...backend, weight: 1, backup: false }] }) }
}
