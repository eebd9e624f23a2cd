import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBackends } from '../../src/cli/backends-report.ts'
import { formatBytes, formatCount, formatDuration } from '../../src/cli/quantity.ts'
import { formatReload } from '../../src/cli/reload-report.ts'
import { formatRoutes, formatStarted, formatStatus } from '../../src/cli/status-report.ts'
import { formatTable } from '../../src/cli/table.ts'
import type { BackendReport, ReloadReport, StatusReport } from '../../src/ipc/control.ts'
import type { RouteTraffic } from '../../src/metrics/traffic.ts'

const NOW_MS = Date.parse('2026-01-02T03:10:00.000Z')

const RELOAD: ReloadReport = {
  ok: true,
  trigger: 'command',
  at: '2026-01-02T03:09:00.000Z',
  tookMs: 34,
  kind: 'swap',
  version: 5,
  routes: { added: ['api'], changed: ['ws'], removed: ['old'] },
  changedKeys: ['logging.level'],
  workers: [{ id: 1, pid: 71, ok: true, tookMs: 12, problem: undefined }],
  problems: [],
  warnings: [],
  error: undefined,
}

const FAILED: ReloadReport = {
  ...RELOAD,
  ok: false,
  trigger: 'watch',
  kind: 'none',
  version: 4,
  routes: { added: [], changed: [], removed: [] },
  changedKeys: [],
  workers: [{ id: 1, pid: 71, ok: false, tookMs: 12, problem: 'out of memory' }],
  problems: [
    {
      severity: 'error',
      file: '/etc/config.yaml',
      line: 3,
      column: 5,
      sourceLine: 'a:  b',
      message: 'wrong',
      expected: 'a number',
      hint: undefined,
    },
  ],
  error: 'port 8000 is busy',
}

const TRAFFIC: RouteTraffic = {
  name: '/api',
  requests: 1_200,
  errors: 9,
  requestsPerSecond: 42.4,
  errorRate: 0.0123,
  recent: { p50Ms: 0.84, p90Ms: 12.4, p99Ms: 1_480 },
  overall: { p50Ms: 1, p90Ms: 2, p99Ms: 3 },
}
const QUIET = { p50Ms: undefined, p90Ms: undefined, p99Ms: undefined }
const NO_TRAFFIC: RouteTraffic = {
  name: '',
  requests: 0,
  errors: 0,
  requestsPerSecond: 0,
  errorRate: 0,
  recent: QUIET,
  overall: QUIET,
}

const STATUS: StatusReport = {
  pid: 70,
  programVersion: '1.2.3',
  nodeVersion: 'v26.10.0',
  configFile: '/etc/config.yaml',
  logFile: '/var/log/p.log',
  startedAt: '2026-01-02T03:04:05.000Z',
  uptimeMs: 355_000,
  state: 'running',
  version: 4,
  generation: 2,
  engine: 'http-proxy-3',
  listen: [
    { host: '127.0.0.1', port: 8000, tls: false, url: 'http://127.0.0.1:8000' },
    { host: '127.0.0.1', port: 8443, tls: true, url: 'https://127.0.0.1:8443' },
  ],
  workers: [
    {
      id: 1,
      pid: 71,
      generation: 2,
      state: 'ready',
      startedAt: '2026-01-02T03:09:55.000Z',
      crashes: 0,
      stats: { version: 4, connections: 12, inFlight: 3, held: 0, tunnels: 1, requests: 1024, rssBytes: 88_080_384 },
    },
    {
      id: 2,
      pid: 72,
      generation: 2,
      state: 'starting',
      startedAt: '2026-01-02T03:09:59.500Z',
      crashes: 10,
      stats: undefined,
    },
  ],
  admin: undefined,
  upstreams: [
    { name: '/x', shared: false, loadBalancing: 'round_robin', backends: ['http://c:80'] },
    {
      name: 'api',
      shared: true,
      loadBalancing: 'header_hash:x-user',
      backends: ['http://a:80 x3', 'http://b:80 backup'],
    },
  ],
  backends: [],
  crashLoop: true,
  paused: [{ route: 'api', until: '2026-01-02T03:10:30.000Z' }],
  traffic: { spanMs: 0, total: NO_TRAFFIC, routes: [] },
  lastReload: undefined,
}

for (const { ms, text } of [
  { ms: 0, text: '0 ms' },
  { ms: 999.4, text: '999 ms' },
  { ms: 1500, text: '1.5 s' },
  { ms: 59_400, text: '59 s' },
  { ms: 59_600, text: '1m 0s' },
  { ms: 3_600_000, text: '1h 0m' },
  { ms: 90_061_000, text: '1d 1h' },
]) {
  test(`${ms} ms is written ${text}`, () => assert.equal(formatDuration(ms), text))
}

test('bytes have three figures at most before the unit changes', () => {
  assert.deepEqual([0, 512, 1536, 88_080_384, 5e15].map(formatBytes), ['0 B', '512 B', '1.5 KB', '84 MB', '4547 TB'])
})

test('one thing is not things', () => {
  assert.deepEqual(
    [0, 1, 2].map((count) => formatCount(count, 'route')),
    ['0 routes', '1 route', '2 routes'],
  )
})

test('columns are as wide as their widest cell', () => {
  const columns = [
    { title: 'A', align: 'left' },
    { title: 'NUMBER', align: 'right' },
    { title: 'Z', align: 'left' },
  ] as const
  assert.equal(
    formatTable(columns, [
      ['long', '1', ''],
      ['x', '1234567', 'z'],
    ]),
    'A      NUMBER  Z\nlong        1\nx     1234567  z',
  )
})

test('a reload tells what changed and what each worker did', () => {
  assert.equal(
    formatReload(RELOAD),
    [
      'reloaded in 34 ms: swapped in place, 3 routes, version 5',
      '  + route api',
      '  ~ route ws',
      '  - route old',
      '  ~ logging.level',
      '  worker 1 (pid 71): ok, 12 ms',
      '',
    ].join('\n'),
  )
})

test('a reload that changed nothing says so', () => {
  const routes = { added: [], changed: [], removed: [] }
  const report: ReloadReport = { ...RELOAD, kind: 'none', routes, changedKeys: [], workers: [] }
  assert.equal(formatReload(report), 'reloaded in 34 ms: nothing to change, version 5\n')
})

test('a failed reload tells the place and every reason, and what serves on', () => {
  assert.equal(
    formatReload(FAILED),
    [
      'reload failed after 34 ms, version 4 serves on as before',
      '  worker 1 (pid 71): failed: out of memory',
      'error: port 8000 is busy',
      '/etc/config.yaml:3:5: error: wrong',
      '  a:  b',
      '      ^',
      '  expected: a number',
      '',
    ].join('\n'),
  )
})

test('a restart is called one', () => {
  const report: ReloadReport = { ...RELOAD, trigger: 'restart', kind: 'roll' }
  assert.match(formatReload(report), /^restarted in 34 ms: workers replaced one by one, version 5\n/)
})

test('the status shows the instance, its workers, its groups of backends and the crash loop', () => {
  assert.equal(
    formatStatus(STATUS, NOW_MS),
    [
      'pyserve-ts 1.2.3 is running, Node.js v26.10.0',
      '  pid     70',
      '  up      5m 55s',
      '  config  /etc/config.yaml (version 4, generation 2)',
      '  engine  http-proxy-3',
      '  log     /var/log/p.log',
      '  listen  http://127.0.0.1:8000',
      '          https://127.0.0.1:8443',
      '',
      'WORKER  PID  STATE         UP  GEN  CONNECTIONS  IN FLIGHT  TUNNELS  REQUESTS    RSS  CRASHES',
      '     1   71  ready      5.0 s    2           12          3        1      1024  84 MB        0',
      '     2   72  starting  500 ms    2            -          -        -         -      -       10',
      '',
      'paused: api for 30 s more; 0 requests held',
      '',
      'upstream api, header_hash:x-user',
      '  http://a:80 x3',
      '  http://b:80 backup',
      '',
      'workers keep dying: restarts are held back, see the log',
      '',
    ].join('\n'),
  )
})

test('the status shows rates, errors and response times of the whole and of the busiest routes', () => {
  const quiet = Array.from({ length: 10 }, (_, i) => ({ ...NO_TRAFFIC, name: `r${i}`, requests: 1 }))
  const traffic = { spanMs: 17_300, total: TRAFFIC, routes: [TRAFFIC, { ...NO_TRAFFIC, requests: 3 }, ...quiet] }
  const text = formatStatus({ ...STATUS, admin: 'http://127.0.0.1:9180', traffic }, NOW_MS)
  assert.match(text, /^ {2}admin {3}http:\/\/127.0.0.1:9180$/m)
  const at = text.indexOf('traffic')
  assert.deepEqual(text.slice(at, text.indexOf('\nr1')).split('\n'), [
    'traffic of the last 17 s; requests since the start',
    'ROUTE       REQUESTS  PER SECOND  ERRORS      P50    P90    P99',
    'all             1200          42   1.2 %  0.84 ms  12 ms  1.5 s',
    '/api            1200          42   1.2 %  0.84 ms  12 ms  1.5 s',
    '(no route)         3           0       -        -      -      -',
    'r0                 1           0       -        -      -      -',
  ])
  assert.match(text, /^and 2 more: status --json$/m)
})

test('the status shows a failed reload', () => {
  const text = formatStatus({ ...STATUS, lastReload: FAILED }, NOW_MS)
  assert.match(text, /last change, 1m 0s ago by watch: reload failed after 34 ms, version 4 serves on/)
  assert.match(text, /config\.yaml:3:5: error: wrong/)
})

test('a start says where it listens', () => {
  assert.equal(
    formatStarted(STATUS),
    [
      'pyserve-ts 1.2.3 is running, pid 70',
      '  listen  http://127.0.0.1:8000',
      '  listen  https://127.0.0.1:8443',
      '  workers 1',
      '  config  /etc/config.yaml',
      '  log     /var/log/p.log',
      '',
    ].join('\n'),
  )
})

test('routes are a table in which a star means any', () => {
  const routes = [
    { name: 'api', path: '/api', domains: [], methods: ['GET', 'POST'], target: 'http://localhost:3000' },
    { name: 'ok', path: '/', domains: ['a.test', '*.b.test'], methods: [], target: 'respond 200' },
  ]
  assert.equal(
    formatRoutes(routes),
    [
      'ROUTE  DOMAINS           PATH  METHODS    TARGET',
      'api    *                 /api  GET, POST  http://localhost:3000',
      'ok     a.test, *.b.test  /     *          respond 200',
      '',
    ].join('\n'),
  )
})

const BACKEND: BackendReport = {
  name: '10.0.0.1:80',
  upstreams: ['api'],
  state: 'up',
  since: '2026-01-02T03:08:00.000Z',
  why: '',
  checked: false,
  lastCheck: undefined,
  ejectedBy: 0,
  openIn: 0,
}
const BACKENDS: readonly BackendReport[] = [
  BACKEND,
  {
    ...BACKEND,
    name: '10.0.0.2:80',
    upstreams: ['api', 'web', 'api'],
    state: 'down',
    why: 'status 503',
    checked: true,
    lastCheck: { at: '2026-01-02T03:09:58.000Z', tookMs: 3, why: 'status 503' },
  },
  { ...BACKEND, name: '10.0.0.3:80', checked: true },
]

test('backends are a table with why they are as they are', () => {
  assert.equal(
    formatBackends(BACKENDS, NOW_MS),
    `BACKEND      STATE    FOR  LAST CHECK        UPSTREAMS  WHY
10.0.0.1:80  up     2m 0s  -                 api
10.0.0.2:80  down   2m 0s  failed 2.0 s ago  api, web   status 503
10.0.0.3:80  up     2m 0s  to come           api
`,
  )
  assert.equal(formatBackends([], 0), 'no backends\n')
})

test('status tells of backends where there is something to tell', () => {
  assert.doesNotMatch(formatStatus({ ...STATUS, backends: [BACKEND] }, NOW_MS), /BACKEND/)
  assert.match(formatStatus({ ...STATUS, backends: BACKENDS }, NOW_MS), /10\.0\.0\.2:80 +down/)
})
