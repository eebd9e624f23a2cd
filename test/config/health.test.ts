import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildConfig } from '../../src/config/build.ts'
import type { RouteAction, UpstreamConfig } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { problemsOf } from './problems-of.ts'

function route(text: string): string {
  return `server:\n  reverse_proxy:\n    - ${text}\n`
}

const STATUS = '| expected: a status such as 200, a range such as 200-399, or a list of them'

for (const { name, text, problems } of [
  {
    name: 'a check may say everything',
    text: route(
      '{ host: a, health_check: { type: http, path: /healthz?full=1, host: b, headers: { X-A: 1 }, status: [200, 300-399], ' +
        'body: ok, interval: 5s, unhealthy_interval: 1s, timeout: 5s, healthy: 1, unhealthy: 1, port: 9000 } }',
    ),
    problems: [],
  },
  {
    name: 'a path begins with a slash',
    text: route('{ health_check: { path: healthz } }'),
    problems: [
      '3:31 error invalid value "healthz" for server.reverse_proxy[0].health_check.path | expected: a path that starts with a slash | hint: did you mean "/healthz"?',
    ],
  },
  {
    name: 'a timeout fits into its interval',
    text: route('{ health_check: { interval: 1s, timeout: 1500ms } }'),
    problems: [
      '3:48 error the timeout of 1500 ms is longer than the interval of 1000 ms | expected: at most the interval: checks of one backend do not overlap',
    ],
  },
  {
    name: 'a short interval shortens the usual timeout',
    text: route('{ health_check: { interval: 1s } }'),
    problems: [],
  },
  {
    name: 'thresholds are at least 1',
    text: route('{ health_check: { healthy: 0, unhealthy: 0 } }'),
    problems: [
      '3:34 error invalid value 0 for server.reverse_proxy[0].health_check.healthy | expected: a whole number from 1 to 100',
      '3:48 error invalid value 0 for server.reverse_proxy[0].health_check.unhealthy | expected: a whole number from 1 to 100',
    ],
  },
  {
    name: 'a range of statuses goes upwards',
    text: route('{ health_check: { status: 399-200 } }'),
    problems: [
      '3:33 error invalid value "399-200" for server.reverse_proxy[0].health_check.status | expected: a range from a smaller status to a larger one',
    ],
  },
  {
    name: 'a status is one of a final response',
    text: route('{ health_check: { status: [100, 200] } }'),
    problems: [
      `3:34 error invalid value 100 for server.reverse_proxy[0].health_check.status[0] ${STATUS}, from 200 to 599`,
    ],
  },
  {
    name: 'a share is a percentage',
    text: route('{ passive_health: { max_ejected: 150% } }'),
    problems: [
      '3:40 error invalid value "150%" for server.reverse_proxy[0].passive_health.max_ejected | expected: a percentage such as 20%, at most 100%',
    ],
  },
  {
    name: 'a failure is needed before anything is ejected',
    text: route('{ passive_health: { failures: 0 } }'),
    problems: [
      '3:37 error invalid value 0 for server.reverse_proxy[0].passive_health.failures | expected: a whole number from 1 to 1000',
    ],
  },
  { name: 'passive health may be off', text: route('{ passive_health: off }'), problems: [] },
  {
    name: 'a check of a connection has no body',
    text: route('{ health_check: { type: tcp, body: ok } }'),
    problems: [
      '3:36 error body has no meaning for a check of type tcp | hint: leave body out, or the type: then a request is made',
    ],
  },
  {
    name: 'a kind of check that is not there has a near one',
    text: route('{ health_check: { type: https } }'),
    problems: [
      '3:31 error invalid value "https" for server.reverse_proxy[0].health_check.type | expected: one of http, tcp, tls | hint: did you mean "http"?',
    ],
  },
  {
    name: 'fields of the connection are not for a check',
    text: route('{ health_check: { headers: { Host: a, "b c": d } } }'),
    problems: [
      '3:36 error the header Host is decided by the check | hint: it has its own key: host',
      '3:45 error invalid header name "b c" | expected: letters, digits and hyphens',
    ],
  },
  {
    name: 'a route that answers by itself has no health',
    text: route('{ respond: { body: x }, passive_health: true }'),
    problems: ['3:31 error a route with respond has no backend whose health could be told'],
  },
  {
    name: 'health belongs to a shared group',
    text: 'server:\n  upstreams:\n    g: { backends: [{ host: a }], health_check: {} }\n  reverse_proxy:\n    - { upstream: g, health_check: {} }\n',
    problems: [
      '5:22 error health_check belongs to the upstream "g", which routes may share | hint: set it in server.upstreams.g',
    ],
  },
  {
    name: 'the check of a group has its problems too',
    text: 'server:\n  upstreams:\n    g: { backends: [{ host: a }], health_check: { timeout: 6s } }\n  reverse_proxy:\n    - { upstream: g }\n',
    problems: [
      '3:60 error the timeout of 6000 ms is longer than the interval of 5000 ms | expected: at most the interval: checks of one backend do not overlap',
    ],
  },
]) {
  test(name, () => assert.deepEqual(problemsOf(text), problems))
}

const PASSIVE = { failures: 5, windowMs: 10_000, ejectMs: 30_000, maxEjected: 0.5 }

for (const { name, text, passive } of [
  { name: 'one backend is always asked', text: '{ host: a }', passive: undefined },
  { name: 'one backend that is checked is watched', text: '{ host: a, health_check: {} }', passive: PASSIVE },
  {
    name: 'several backends are watched',
    text: '{ backends: [{ host: 10.0.0.1 }, { host: 10.0.0.2 }] }',
    passive: PASSIVE,
  },
  { name: 'a name that may be several backends is watched', text: '{ backends: [{ host: a }] }', passive: PASSIVE },
  { name: 'an address in a list is one backend', text: '{ backends: [{ host: 10.0.0.1 }] }', passive: undefined },
  { name: 'one backend may be watched', text: '{ passive_health: true }', passive: PASSIVE },
  { name: 'several may be left alone', text: '{ backends: [{ host: a }], passive_health: off }', passive: undefined },
  {
    name: 'what is said counts',
    text: '{ passive_health: { failures: 2, window: 1s, eject: 3s, max_ejected: 100% } }',
    passive: { failures: 2, windowMs: 1_000, ejectMs: 3_000, maxEjected: 1 },
  },
]) {
  test(name, () => assert.deepEqual(upstreamOf(text).passiveHealth, passive))
}

test('a check that says nothing has the usual settings', () => {
  assert.deepEqual(upstreamOf('{ health_check: {} }').healthCheck, {
    kind: 'http',
    path: '/',
    host: undefined,
    headers: [],
    statuses: [[200, 399]],
    body: undefined,
    intervalMs: 5_000,
    unhealthyIntervalMs: 5_000,
    timeoutMs: 2_000,
    healthy: 2,
    unhealthy: 3,
    port: undefined,
  })
})

test('statuses may be one, a range, or several of both', () => {
  assert.deepEqual(upstreamOf('{ health_check: { status: 204 } }').healthCheck?.statuses, [[204, 204]])
  assert.deepEqual(upstreamOf('{ health_check: { status: [204, 300 - 399] } }').healthCheck?.statuses, [
    [204, 204],
    [300, 399],
  ])
})

function upstreamOf(text: string): UpstreamConfig {
  const draft = parseConfig(route(text), 'config.yaml', { env: {}, overrides: {}, workingDirectory: '/work' })
  const action = buildConfig(draft, new Map(), 0)?.routes[0]?.action as Extract<RouteAction, { kind: 'proxy' }>
  assert.ok(typeof action.upstream === 'object')
  return action.upstream
}
