import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOf } from './problems-of.ts'

const RIVALS = '| expected: another path, other domains or other methods'

function routes(...lines: string[]): string {
  return `server:\n  reverse_proxy:\n${lines.map((line) => `    - ${line}\n`).join('')}`
}

for (const { name, text, problems } of [
  {
    name: 'two routes of one path are rivals',
    text: routes('{ path: /a }', '{ path: /b }', '{ path: /a/ }'),
    problems: [`5:15 error the route on line 3 takes the same requests for /a ${RIVALS}`],
  },
  {
    name: 'a default path is a path too',
    text: routes('{ host: a }', '{ path: / }'),
    problems: [`4:15 error the route on line 3 takes the same requests for / ${RIVALS}`],
  },
  {
    name: 'paths that differ only in their escapes are one',
    text: routes('{ path: /%7Ea/%d0%b1 }', '{ path: /~a/б }'),
    problems: [`4:15 error the route on line 3 takes the same requests for /~a/%D0%B1 ${RIVALS}`],
  },
  {
    name: 'an escaped slash is no slash',
    text: routes('{ path: /a/b }', '{ path: /a%2Fb }', '{ path: /a%252Fb }'),
    problems: [],
  },
  {
    name: 'routes of one path on domains that overlap are rivals',
    text: routes('{ path: /a, domains: [x.com, y.com] }', '{ path: /a, domains: [Y.com, z.com] }'),
    problems: [`4:15 error the route on line 3 takes the same requests for /a ${RIVALS}`],
  },
  {
    name: 'a named domain, a wildcard and any domain are none',
    text: routes('{ path: /a, domains: [x.com] }', '{ path: /a, domains: ["*.x.com"] }', '{ path: /a }'),
    problems: [],
  },
  {
    name: 'routes of one path with methods that overlap are rivals',
    text: routes('{ path: /a, methods: [GET, POST] }', '{ path: /a, methods: [post] }'),
    problems: [`4:15 error the route on line 3 takes the same requests for /a ${RIVALS}`],
  },
  {
    name: 'a named method and any method are none',
    text: routes('{ path: /a, methods: [GET] }', '{ path: /a, methods: [POST] }', '{ path: /a }'),
    problems: [],
  },
  {
    name: 'a domain or method that stands in a route twice is no rival of itself',
    text: routes('{ path: /a, domains: [x.com, X.com], methods: [GET, get] }'),
    problems: [],
  },
  {
    name: 'a name belongs to one route',
    text: routes('{ path: /a, name: n }', '{ path: /b, name: n }'),
    problems: ['4:25 error the route on line 3 has the name "n" already'],
  },
  {
    name: 'a route has either a backend or an answer of its own',
    text: routes('{ path: /a, host: b, respond: { body: x } }', '{ path: /b, redirect: { to: /c }, respond: {} }'),
    problems: [
      '3:19 error a route cannot have both respond and host | expected: one of: a backend, respond, redirect',
      '4:19 error a route cannot have both respond and redirect | expected: one of: a backend, respond, redirect',
    ],
  },
  {
    name: 'an answer may have timeouts, and ssl that is off',
    text: routes('{ path: /a, ssl: false, respond: {}, timeouts: { total: 5s } }'),
    problems: [],
  },
  {
    name: 'a response without a body has none',
    text: routes('{ path: /a, respond: { status: 204, body: x } }', '{ path: /b, respond: { status: 204 } }'),
    problems: ['3:49 error a response with status 204 has no body'],
  },
  {
    name: 'a certificate for the backend comes with its key',
    text: routes('{ path: /a, ssl: { cert_file: a.pem } }', '{ path: /b, ssl: { key_file: a.pem } }'),
    problems: ['3:26 error cert_file needs key_file beside it', '4:26 error key_file needs cert_file beside it'],
  },
  {
    name: 'no rule touches what frames a message or belongs to a connection',
    text: routes(
      'path: /a\n      headers:\n        request: { set: { connection: close, TE: x }, remove: [Upgrade] }\n        response: { set: { Content-Length: 5 }, remove: [transfer-encoding] }',
    ),
    problems: [
      '5:27 error the header connection belongs to a connection: the proxy alone decides it',
      '5:46 error the header TE belongs to a connection: the proxy alone decides it',
      '5:64 error the header Upgrade belongs to a connection: the proxy alone decides it',
      '6:28 error the header Content-Length belongs to a connection: the proxy alone decides it',
      '6:58 error the header transfer-encoding belongs to a connection: the proxy alone decides it',
    ],
  },
  {
    name: 'a header name is a token',
    text: routes('path: /a\n      headers: { request: { set: { "X A": 1, constructor: 2 } } }'),
    problems: ['4:36 error invalid header name "X A" | expected: letters, digits and hyphens'],
  },
  {
    name: 'a header is set once, whatever its case',
    text: routes('path: /a\n      headers: { request: { set: { X-A: 1, x-a: 2 } } }'),
    problems: ['4:44 error the header x-a is set on line 4 already'],
  },
  {
    name: 'a request keeps a Host',
    text: routes('path: /a\n      headers: { request: { remove: [Host] }, response: { remove: [host] } }'),
    problems: ['4:38 error no request may go without Host'],
  },
  {
    name: 'an address to listen on stands once',
    text: 'server: { host: [127.0.0.1, "::1", 127.0.0.1] }\n',
    problems: ['1:36 error the address 127.0.0.1 stands in the list twice'],
  },
  {
    name: 'there is an address to listen on',
    text: 'server: { host: [] }\n',
    problems: ['1:17 error invalid value […] for server.host | expected: at least one address'],
  },
  {
    name: 'redirect instructions are a list of maps or a map, and each path stands once',
    text: 'server:\n  redirect_instructions:\n    - /home: /index.html\n      /old: /new\n    - /home: /other\n    - /a: /a\n',
    problems: ['5:7 error "/home" is redirected on line 3 already', '6:11 error "/a" is redirected to itself'],
  },
  {
    name: 'the paths of redirect instructions are checked',
    text: 'server:\n  redirect_instructions:\n    home: /\n    /a?b: /\n    /ok/: /\n',
    problems: [
      '3:5 error invalid path "home" in server.redirect_instructions | expected: a path that starts with a slash | hint: did you mean "/home"?',
      '4:5 error invalid path "/a?b" in server.redirect_instructions | expected: a path without ? and #',
    ],
  },
  {
    name: 'HTTPS beside HTTP has a port of its own',
    text: 'server: { port: 8443 }\nssl: { enabled: true, port: 8443 }\n',
    problems: [
      '2:29 error ssl.port 8443 is server.port too | expected: a port of its own, or none: then server.port speaks TLS',
    ],
  },
  {
    name: 'any free port is not the same port',
    text: 'server: { port: 0 }\nssl: { enabled: true, port: 0 }\n',
    problems: [],
  },
  {
    name: 'plain requests are not redirected to what is off',
    text: 'ssl: { redirect_http: true, port: 8443 }\n',
    problems: ['1:23 error ssl.redirect_http leads nowhere while ssl.enabled is false'],
  },
  {
    name: 'plain requests are not redirected without a second port',
    text: 'ssl: { enabled: true, redirect_http: true }\n',
    problems: ['1:38 error ssl.redirect_http needs ssl.port: without it there is no plain HTTP to redirect'],
  },
  {
    name: 'plain requests are not redirected to a port that nobody knows',
    text: 'ssl: { enabled: true, redirect_http: true, port: 0 }\n',
    problems: ['1:38 error ssl.redirect_http needs a fixed ssl.port, not any free one'],
  },
  {
    name: 'a mistake in ssl.port is not told twice',
    text: 'ssl: { enabled: true, redirect_http: true, port: x }\n',
    problems: ['1:50 error invalid value "x" for ssl.port | expected: a whole number from 0 to 65535'],
  },
  {
    name: 'certificates without ssl.enabled are a warning',
    text: 'ssl: { cert_file: a.pem }\n',
    problems: ['1:8 warning the certificate is not used: ssl.enabled is false unless it is set'],
  },
  {
    name: 'metrics that others can read are a warning',
    text: 'admin: { host: 0.0.0.0, port: 9180 }\n',
    problems: [
      '1:16 warning admin.host 0.0.0.0 is not loopback: whoever reaches it reads metrics and status' +
        ' | hint: leave it out for 127.0.0.1, or let a firewall decide who reaches it',
    ],
  },
  { name: 'an admin listener that is off warns of nothing', text: 'admin: { host: 0.0.0.0 }\n', problems: [] },
  {
    name: 'an admin listener on loopback is right',
    text: 'admin: { host: localhost, port: 9180 }\n',
    problems: [],
  },
  {
    name: 'the port of the admin listener is its own',
    text: 'server: { port: 9180 }\nadmin: { port: 9180 }\n',
    problems: ['2:16 error admin.port 9180 is server.port too | expected: a port of its own, or 0: off'],
  },
  {
    name: 'the port of the admin listener is not that of HTTPS',
    text: 'server: { host: "::" }\nssl: { enabled: true, port: 9180 }\nadmin: { port: 9180 }\n',
    problems: ['3:16 error admin.port 9180 is ssl.port too | expected: a port of its own, or 0: off'],
  },
  {
    name: 'the same port of another address is another one',
    text: 'server: { host: 10.0.0.1, port: 9180 }\nadmin: { port: 9180 }\n',
    problems: [],
  },
]) {
  test(name, () => assert.deepEqual(problemsOf(text), problems))
}

test('ten thousand rivals are told in a time that grows with their number', () => {
  const many = (count: number) =>
    routes(...Array.from({ length: count }, () => '{ path: /a, domains: [x.com, y.com] }'))
  const startedMs = performance.now()
  assert.equal(problemsOf(many(10_000)).length, 9999)
  // Checking every pair would take minutes.
  assert.ok(performance.now() - startedMs < 20_000)
})
