import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEEP_GONE_MS } from '../../src/metrics/series-set.ts'
import { MetricsTotals } from '../../src/metrics/totals.ts'
import { WorkerMetrics } from '../../src/metrics/worker-metrics.ts'
import { nameSeries } from '../../src/primary/scrape.ts'
import { builtConfig, upstreamOf } from '../helpers/built-config.ts'

test('what the name of a backend stands for goes on counting for as long as it does', () => {
  let nowMs = 0
  const totals = new MetricsTotals(() => nowMs)
  const worker = new WorkerMetrics()
  const member = {
    host: 'app.test',
    port: 80,
    tls: undefined,
    weight: 1,
    backup: false,
    discovery: 'addresses',
  } as const
  const config = builtConfig([{ action: { kind: 'proxy', upstream: upstreamOf({ backends: [member] }) } }])
  const find = (...addresses: readonly string[]) =>
    nameSeries(totals, config, { addresses: { 'app.test': addresses }, services: {}, isPrivate: false })
  const tell = (name: string) => {
    worker.backend(name).countRequest()
    totals.add(worker.take() ?? { routes: [], backends: [] })
  }
  find('10.0.0.1', '10.0.0.2')
  tell('10.0.0.1:80')
  tell('10.0.0.2:80')
  nowMs += KEEP_GONE_MS
  assert.deepEqual([...totals.backends.keys()], ['10.0.0.1:80', '10.0.0.2:80'])
  find('10.0.0.2', '10.0.0.3')
  nowMs += KEEP_GONE_MS
  assert.deepEqual([...totals.backends.keys()], ['10.0.0.2:80'])
})
