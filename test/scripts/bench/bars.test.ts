import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '../../../scripts/bench/bars.ts'
import type { LoadName } from '../../../scripts/bench/load.ts'
import type { Results } from '../../../scripts/bench/results.ts'
import { resultsOf, sample } from './sample-results.ts'

const GET = 'GET, 64 connections: CPU, node:http in front, of nginx'
const HALF_RATE = { saturationPerSecond: 2_000, requestsPerSecond: 1_000, p50Ms: 1, errors: {} }
const WORKERS = { throughputRatio: 1.9, cpuRatio: 1.05, requestsPerSecond: [1, 1.9], errors: {} } as const

test('without measurements no bar is told', () => {
  assert.deepEqual(new Set(judge(resultsOf([])).map(({ reached }) => reached)), new Set([undefined]))
})

for (const { cost, reached, measured } of [
  { cost: 18, reached: true, measured: '1.80×' },
  { cost: 19, reached: false, measured: '1.90×' },
]) {
  test(`${measured} is ${reached ? 'within' : 'over'} 1.8×`, () => {
    const verdict = find(resultsOf([cell('nginx', 10), cell('pyserve-ts', cost)]), GET)
    assert.deepEqual(verdict, { name: GET, limit: '≤ 1.8×', measured, reached })
  })
}

test('with errors a bar is not told, whoever had them', () => {
  for (const [ofNginx, ofSubject] of [
    [{ status: 1 }, {}],
    [{}, { timeout: 1 }],
  ]) {
    const cells = [cell('nginx', 10, ofNginx), cell('pyserve-ts', 10, ofSubject)]
    const { measured, reached } = find(resultsOf(cells), GET)
    assert.deepEqual([measured, reached], ['errors', undefined])
  }
})

test('the access log is compared with the same contender without it', () => {
  const results = resultsOf([cell('pyserve-ts', 10), cell('pyserve-ts', 12, {}, 'get-64-log')])
  assert.equal(find(results, 'access log on: CPU over off').measured, '1.20×')
})

test('p99 at half of saturation is a difference', () => {
  const halfRate = [
    { ...HALF_RATE, contender: 'nginx', p99Ms: 2 },
    { ...HALF_RATE, contender: 'pyserve-ts', p99Ms: 3.5 },
  ]
  const { measured, reached } = find(
    resultsOf([], { 'half-rate': halfRate }),
    "p99 at half of saturation, above nginx's",
  )
  assert.deepEqual([measured, reached], ['1.50 ms', false])
})

test('the throughput of two workers is judged only where they have cores', () => {
  const name = 'two workers: throughput over one'
  assert.equal(find(resultsOf([], { workers: { ...WORKERS, cores: 2 } }), name).reached, undefined)
  assert.equal(find(resultsOf([], { workers: { ...WORKERS, cores: 4 } }), name).reached, true)
  assert.equal(find(resultsOf([], { workers: { ...WORKERS, cores: 4, throughputRatio: 1.7 } }), name).reached, false)
})

test('memory is in KB for each', () => {
  const sizes = { connections: 100, rssBeforeBytes: 0, rssAfterBytes: 0 }
  const memory = [{ ...sizes, kind: 'websocket', bytesEach: 20 * 1024 } as const]
  assert.equal(find(resultsOf([], { memory }), 'idle WebSocket pair: memory').reached, true)
})

function cell(contender: string, cost: number, errors: Record<string, number> = {}, load: LoadName = 'get-64') {
  return { load, contender, samples: [sample(cost, { errors })] }
}

function find(results: Results, name: string) {
  const verdict = judge(results).find((one) => one.name === name)
  assert.ok(verdict, `no bar ${name}`)
  return verdict
}
