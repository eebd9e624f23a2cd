import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseH2load } from '../../../scripts/bench/h2load.ts'
import { parseWrk, wrkScript } from '../../../scripts/bench/wrk.ts'

const WRK = `Running 2s test @ http://127.0.0.1:9002/
  1 threads and 64 connections
  91493 requests in 2.00s, 25.48MB read
Requests/sec:  45710.34

bench {"requests":91493,"duration":2001582,"bytes":26715956,"p50":1301,"p99":2796,"errors":{"connect":0,"read":ERRORS,"write":0,"status":0,"timeout":0}}
`

const H2LOAD = `finished in 4.00s, 9620.33 req/s, 2.68MB/s
requests: 103 total, 103 started, 103 done, 101 succeeded, FAILED failed, 0 errored, 0 timeout
status codes: 101 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 8.04MB (8427412) total, 4.69MB (4915200) headers (space savings 0.00%), 4.43MB (4646400) data
`

const H2LOAD_LOG = Array.from({ length: 100 }, (_, index) => `1795418069735351\t200\t${(100 - index) * 10}\n`).join('')

test('the summary of wrk', () => {
  assert.deepEqual(parseWrk(WRK.replace('ERRORS', '0')), {
    requests: 91_493,
    bytes: 26_715_956,
    seconds: 2.001582,
    p50Micros: 1_301,
    p99Micros: 2_796,
    errors: {},
  })
})

test('errors of wrk are named', () => {
  assert.deepEqual(parseWrk(WRK.replace('ERRORS', '3'))?.errors, { read: 3 })
})

test('wrk without a summary has no result', () => {
  assert.equal(parseWrk('unable to connect to 127.0.0.1:1 Connection refused\n'), undefined)
})

test('a load says method, body and connection to wrk', () => {
  assert.equal(wrkScript({}), '')
  assert.match(wrkScript({ postBytes: 16 }), /wrk\.method = "POST"\nwrk\.body = string\.rep\("x", 16\)/)
  assert.match(wrkScript({ close: true }), /headers\["Connection"\] = "close"/)
})

test('the result of h2load, with percentiles from its log', () => {
  assert.deepEqual(parseH2load(H2LOAD.replace('FAILED', '0'), H2LOAD_LOG, 4), {
    requests: 101,
    bytes: 8_427_412,
    seconds: 4,
    p50Micros: 500,
    p99Micros: 990,
    errors: {},
  })
})

test('failed requests of h2load are errors', () => {
  assert.deepEqual(parseH2load(H2LOAD.replace('FAILED', '2'), H2LOAD_LOG, 4)?.errors, { failed: 2 })
})

test('h2load without a result has none', () => {
  assert.equal(parseH2load('', '', 1), undefined)
})
