import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRequestHead } from '../../src/listener/request-framing.ts'

const HOST = ['Host', 'a.example']

interface Row {
  readonly name: string
  readonly method?: string
  readonly target?: string
  readonly version?: string
  readonly headers?: readonly string[]
  readonly status?: number
  readonly authority?: string
  readonly lengthBytes?: number
  readonly hasBody?: boolean
  readonly expectsContinue?: boolean
}

const ROWS: readonly Row[] = [
  { name: 'a path and a Host are enough', authority: 'a.example' },
  { name: 'a Host may have a port', headers: ['host', 'a.example:8080'], authority: 'a.example:8080' },
  { name: 'a Host may be an IPv6 literal', headers: ['HOST', '[::1]:80'], authority: '[::1]:80' },
  { name: 'HTTP/1.1 without Host', headers: [], status: 400 },
  { name: 'HTTP/1.0 may have no Host', version: '1.0', headers: [], authority: '' },
  { name: 'HTTP/1.0 with a bad Host', version: '1.0', headers: ['Host', 'a/b'], status: 400 },
  { name: 'HTTP/1.0 with two Hosts', version: '1.0', headers: [...HOST, ...HOST], status: 400 },
  { name: 'an empty Host', headers: ['Host', ''], status: 400 },
  { name: 'two Hosts', headers: [...HOST, 'Host', 'b.example'], status: 400 },
  { name: 'the same Host twice', headers: [...HOST, 'hOsT', 'a.example'], status: 400 },
  { name: 'a Host with a user part', headers: ['Host', 'u@a.example'], status: 400 },
  { name: 'a Host with a path', headers: ['Host', 'a.example/b'], status: 400 },
  { name: 'a Host with a space', headers: ['Host', 'a.example b'], status: 400 },
  { name: 'a Host with a query', headers: ['Host', 'a.example?b'], status: 400 },
  { name: 'a list of Hosts', headers: ['Host', 'a.example, b.example'], status: 400 },
  { name: 'a Host with a port out of range', headers: ['Host', 'a.example:99999'], status: 400 },
  { name: 'a Host with a scheme', headers: ['Host', 'http://a.example'], status: 400 },
  { name: 'a target that is an http URL', target: 'http://b.example/x', authority: 'b.example' },
  { name: 'a target that is an https URL', target: 'HTTPS://b.example:444', authority: 'b.example:444' },
  { name: 'a target URL does not stand in for Host', target: 'http://b.example/x', headers: [], status: 400 },
  { name: 'a target URL with a bad Host beside it', target: 'http://b/x', headers: ['Host', 'a/b'], status: 400 },
  { name: 'a target URL with a user part', target: 'http://u:p@b.example/', status: 400 },
  { name: 'a target URL with a port out of range', target: 'http://b:99999/', status: 400 },
  { name: 'a target URL with half a literal', target: 'http://[/', status: 400 },
  { name: 'a target URL without a host', target: 'http:///x', status: 400 },
  { name: 'a target of another scheme', target: 'ftp://b.example/x', status: 400 },
  { name: 'a target of host and port', target: 'b.example:80', status: 400 },
  { name: 'a target without a slash', target: 'x', status: 400 },
  { name: 'an empty target', target: '', status: 400 },
  { name: 'OPTIONS *', method: 'OPTIONS', target: '*', authority: 'a.example' },
  { name: 'GET *', target: '*', status: 400 },
  { name: 'CONNECT', method: 'CONNECT', target: 'b.example:443', status: 400 },
  { name: 'CONNECT to a path', method: 'CONNECT', target: '/', status: 400 },
  { name: 'a method of RTSP', method: 'ANNOUNCE', status: 400 },
  { name: 'a method in lower case', method: 'get', status: 400 },
  { name: 'HTTP/2.0 in an HTTP/1 head', version: '2.0', status: 505 },
  { name: 'HTTP/0.9', version: '0.9', headers: [], status: 505 },
  { name: 'as many fields as allowed', headers: [...HOST, ...fields(9)], authority: 'a.example' },
  { name: 'one field more than allowed', headers: [...HOST, ...fields(10)], status: 431 },
  { name: 'a length', headers: [...HOST, 'Content-Length', '5'], hasBody: true, lengthBytes: 5 },
  { name: 'a length with zeros before it', headers: [...HOST, 'content-length', '005'], hasBody: true, lengthBytes: 5 },
  { name: 'a length of nothing is no body', headers: [...HOST, 'Content-Length', '0'], hasBody: false },
  { name: 'the same length twice', headers: [...HOST, 'Content-Length', '5', 'Content-Length', '5'], status: 400 },
  { name: 'two lengths', headers: [...HOST, 'Content-Length', '5', 'CONTENT-LENGTH', '6'], status: 400 },
  ...['+5', '-5', '5,5', '5, 5', '', ' 5', '5 ', '0x5', '1e1', '5.0', '٥', '99999999999999999999'].map((length) => ({
    name: `a length of ${JSON.stringify(length)}`,
    headers: [...HOST, 'Content-Length', length],
    status: 400,
  })),
  { name: 'chunked', method: 'POST', headers: [...HOST, 'Transfer-Encoding', 'chunked'], hasBody: true },
  { name: 'chunked in another case', headers: [...HOST, 'transfer-encoding', 'Chunked'], hasBody: true },
  {
    name: 'chunked with a length',
    headers: [...HOST, 'Transfer-Encoding', 'chunked', 'Content-Length', '5'],
    status: 400,
  },
  {
    name: 'a length with chunked',
    headers: [...HOST, 'Content-Length', '0', 'Transfer-Encoding', 'chunked'],
    status: 400,
  },
  { name: 'chunked in HTTP/1.0', version: '1.0', headers: [...HOST, 'Transfer-Encoding', 'chunked'], status: 400 },
  { name: 'chunked in two fields', headers: [...HOST, ...twice('Transfer-Encoding', 'chunked')], status: 400 },
  ...[
    'identity',
    'gzip, chunked',
    'chunked, identity',
    'chunked, chunked',
    '\x0bchunked',
    ' chunked',
    'xchunked',
    '"chunked"',
    'chunked;q=1',
    '',
  ].map((coding) => ({
    name: `a coding of ${JSON.stringify(coding)}`,
    headers: [...HOST, 'Transfer-Encoding', coding],
    status: 400,
  })),
  {
    name: 'a client that waits before it sends its body',
    headers: [...HOST, 'Expect', '100-Continue', 'Content-Length', '5'],
    hasBody: true,
    lengthBytes: 5,
    expectsContinue: true,
  },
  {
    name: 'nothing is waited for without a body',
    headers: [...HOST, 'Expect', '100-continue'],
    expectsContinue: false,
  },
  { name: 'another expectation', headers: [...HOST, 'Expect', 'miracles'], status: 417 },
  { name: 'two expectations', headers: [...HOST, 'Expect', '100-continue', 'expect', 'miracles'], status: 417 },
  {
    name: 'HTTP/1.0 knows no expectation',
    version: '1.0',
    headers: [...HOST, 'Expect', 'miracles', 'Content-Length', '5'],
    hasBody: true,
    lengthBytes: 5,
    expectsContinue: false,
  },
]

for (const { name, method = 'GET', target = '/', version = '1.1', headers = HOST, status, ...expected } of ROWS) {
  test(`${name}: ${status ?? 'sound'}`, () => {
    const checked = checkRequestHead({ method, target, httpVersion: version, headers }, 10)
    if (status === undefined) {
      assert.equal(checked.kind, 'sound')
      assert.deepEqual({ ...checked, ...expected }, checked)
    } else {
      assert.equal(checked.kind, 'unsound')
      assert.equal(checked.kind === 'unsound' && checked.status, status)
      assert.equal(checked.kind === 'unsound' && checked.reason, status === 431 ? 'header_too_large' : 'bad_request')
    }
  })
}

function fields(count: number): string[] {
  return Array.from({ length: count }, (_, i) => [`X-${i}`, 'x']).flat()
}

function twice(name: string, value: string): string[] {
  return [name, value, name, value]
}
