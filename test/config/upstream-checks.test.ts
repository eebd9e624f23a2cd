import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOf } from './problems-of.ts'

const KINDS =
  '| expected: one of round_robin, least_connections, power_of_two, least_time, random, ip_hash, path_hash, header_hash:<name>'
const SOURCES = '| expected: one of: host with port and ssl, backends, upstream, split'

function route(text: string): string {
  return `server:\n  reverse_proxy:\n    - ${text}\n`
}

function group(text: string, uses = '{ upstream: g }'): string {
  return `server:\n  upstreams:\n    g: ${text}\n  reverse_proxy: [${uses}]\n`
}

for (const { name, text, problems } of [
  {
    name: 'a route may have several backends, and a policy',
    text: route('{ backends: [{ host: a, weight: 0 }, { host: b }, { host: c, backup: true }], slow_start: 10s }'),
    problems: [],
  },
  {
    name: 'a group may be shared',
    text: group('{ backends: [{ host: a }], load_balancing: Header-Hash:X-User }', '{ upstream: g, path: /a }'),
    problems: [],
  },
  {
    name: 'a weight of 0 everywhere takes nothing',
    text: route('{ backends: [{ host: a, weight: 0 }, { host: b, weight: 0 }] }'),
    problems: ['3:19 error every backend has the weight 0: none takes requests | expected: a weight of at least 1'],
  },
  {
    name: 'backups stand in for somebody',
    text: group('{ backends: [{ host: a, backup: true }] }'),
    problems: ['3:20 error every backend is a backup: there is none that they stand in for'],
  },
  {
    name: 'a list of backends has one in it',
    text: `${route('{ backends: [] }')}`,
    problems: [
      '3:19 error invalid value […] for server.reverse_proxy[0].backends | expected: a list with at least one backend',
    ],
  },
  {
    name: 'a group has backends',
    text: group('{ slow_start: 5s }'),
    problems: ['3:5 error server.upstreams.g.backends is missing | expected: a list with at least one backend'],
  },
  {
    name: 'a backend stands in a list once',
    text: group('{ backends: [{ host: A, port: 80 }, { host: b }, { host: a }] }'),
    problems: [
      '3:57 error the backend a:80 stands on line 3 already | hint: give it a weight, to send it more requests than others',
    ],
  },
  {
    name: 'an algorithm that is not known is told with the nearest one',
    text: route('{ host: a, load_balancing: leastconnections }'),
    problems: [
      `3:34 error invalid value "leastconnections" for server.reverse_proxy[0].load_balancing ${KINDS} | hint: did you mean "least_connections"?`,
    ],
  },
  {
    name: 'a hash of a header names the header',
    text: route('{ host: a, load_balancing: header_hash }'),
    problems: [
      '3:34 error invalid value "header_hash" for server.reverse_proxy[0].load_balancing | expected: header_hash:<name of a header>',
    ],
  },
  {
    name: 'a sticky cookie has a name',
    text: route('{ host: a, sticky: {} }'),
    problems: [
      '3:18 error server.reverse_proxy[0].sticky.cookie is missing | expected: a cookie name of letters, digits, hyphens and underscores',
    ],
  },
  {
    name: 'a secret is long',
    text: route('{ host: a, sticky: { cookie: lb, secret: short } }'),
    problems: [
      '3:48 error invalid value "short" for server.reverse_proxy[0].sticky.secret | expected: a text of at least 16 characters',
    ],
  },
  {
    name: 'a group that does not exist is told with the nearest one',
    text: group('{ backends: [{ host: a }] }', '{ upstream: gg }, { upstream: g, path: /g }'),
    problems: [
      '4:31 error there is no upstream "gg" | expected: a name that stands in server.upstreams | hint: did you mean "g"?',
    ],
  },
  {
    name: 'a group that nobody uses is worth a word',
    text: group('{ backends: [{ host: a }] }', '{ host: b }'),
    problems: ['3:5 warning no route uses the upstream "g"'],
  },
  {
    name: 'a group with a mistake is there all the same',
    text: group('{ backends: [{ host: a, weight: x }] }'),
    problems: [
      '3:40 error invalid value "x" for server.upstreams.g.backends[0].weight | expected: a whole number from 0 to 65535',
    ],
  },
  {
    name: 'a route has one kind of backends',
    text: group(
      '{ backends: [{ host: a }] }',
      '{ upstream: g, host: b }, { path: /c, port: 1, backends: [{ host: c }] }',
    ),
    problems: [
      `4:34 error a route cannot have both upstream and host ${SOURCES}`,
      `4:57 error a route cannot have both backends and port ${SOURCES} | hint: each backend has its own port`,
    ],
  },
  {
    name: 'the policy of a shared group is not that of a route',
    text: group('{ backends: [{ host: a }] }', '{ upstream: g, load_balancing: random }'),
    problems: [
      '4:34 error load_balancing belongs to the upstream "g", which routes may share | hint: set it in server.upstreams.g',
    ],
  },
  {
    name: 'a route that answers by itself has no backends',
    text: route('{ respond: {}, backends: [{ host: a }] }'),
    problems: [
      '3:22 error a route cannot have both respond and backends | expected: one of: a backend, respond, redirect',
    ],
  },
  {
    name: 'a service may stand for its backends',
    text: route('{ backends: [{ srv: _http._tcp.example.com, ssl: true }, { host: b, backup: true }] }'),
    problems: [],
  },
  {
    name: 'a service tells hosts, ports and weights by itself',
    text: route('{ backends: [{ srv: _http._tcp.test, port: 80 }, {}] }'),
    problems: [
      '3:44 error a backend cannot have both srv and port | hint: the SRV records of _http._tcp.test tell it',
      '3:56 error a backend has neither host nor srv | expected: host, or srv with the name of a service',
    ],
  },
  {
    name: 'a name server is an address',
    text: 'server: { name_servers: [10.0.0.2, "10.0.0.2:5353", "[::1]:53", fd00::2, dns.test, "10.0.0.2:0"] }\n',
    problems: [
      '1:74 error invalid value "dns.test" for server.name_servers[4] | expected: an address such as 10.0.0.2, 10.0.0.2:5353 or [fd00::2]:53',
      '1:84 error invalid value "10.0.0.2:0" for server.name_servers[5] | expected: an address such as 10.0.0.2, 10.0.0.2:5353 or [fd00::2]:53',
    ],
  },
  {
    name: 'groups may share the requests of a route',
    text: group(
      '{ backends: [{ host: a }] }\n    h: { backends: [{ host: b }] }',
      '{ split: { to: [{ upstream: g, weight: 0 }, { upstream: h }], by: cookie:canary } }',
    ),
    problems: [],
  },
  {
    name: 'a split is among groups that exist, each once, with a weight somewhere',
    text: group(
      '{ backends: [{ host: a }] }',
      '{ split: { to: [{ upstream: g, weight: 0 }, { upstream: g, weight: 0 }] } }, { path: /b, split: { to: [{ upstream: g }, { upstream: gh }], by: user } }',
    ),
    problems: [
      '4:34 error every upstream has the weight 0: none gets requests | expected: a weight of at least 1',
      '4:75 error the upstream "g" stands in the list twice',
      '4:162 error invalid value "user" for server.reverse_proxy[1].split.by | expected: random, cookie:<name> or header:<name>',
    ],
  },
  {
    name: 'a split names groups',
    text: group(
      '{ backends: [{ host: a }] }',
      '{ split: { to: [{ upstream: g }, { upstream: gh }], secret: 0123456789abcdefg }, host: a }',
    ),
    problems: [
      '4:64 error there is no upstream "gh" | expected: a name that stands in server.upstreams | hint: did you mean "g"?',
      '4:79 error a secret signs a cookie, and there is none | expected: by: cookie:<name>',
      '4:100 error a route cannot have both split and host | expected: one of: host with port and ssl, backends, upstream, split',
    ],
  },
  {
    name: 'an unknown key of a group is told with the nearest one',
    text: group('{ backends: [{ host: a, wieght: 2 }] }'),
    problems: ['3:32 error unknown key "wieght" in server.upstreams.g.backends[0] | hint: did you mean "weight"?'],
  },
]) {
  test(name, () => assert.deepEqual(problemsOf(text), problems))
}
