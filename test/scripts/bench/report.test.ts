import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { formatMarkdown, formatResults } from '../../../scripts/bench/report.ts'
import { fillSection } from '../../../scripts/readme.ts'
import { resultsOf, sample } from './sample-results.ts'

const results = resultsOf(
  [
    { load: 'get-64', contender: 'nginx', samples: [sample(10)] },
    { load: 'get-1', contender: 'nginx', samples: [sample(12)] },
    { load: 'get-64', contender: 'pyserve-ts', samples: [sample(15, { errors: { status: 3 } })] },
  ],
  { start: 400 },
)

test('the table for a terminal', () => {
  assert.equal(
    formatResults({ ...results, leftOut: [{ name: 'caddy', reason: 'not there' }] }),
    `npm run bench
2 × Some CPU, Linux 6.1, Node v26.10.0, nginx 1.22.1, 2026-01-02
medians of 1 interleaved rounds of 1 s; too short for more than a first look

LOAD    CONTENDER   CPU µs  × nginx  µs/MB  REQ/s  p50 ms  p99 ms  RSS MB  ERRORS
get-1   nginx         12.0     1.00      -   1000    0.50    2.00      10
get-64  nginx         10.0     1.00      -   1000    0.50    2.00      10
        pyserve-ts    15.0     1.50      -   1000    0.50    2.00      10  ! 3 status

start to ready: 400 ms

BAR                                                        LIMIT  MEASURED  REACHED
GET, 64 connections: CPU, node:http in front, of nginx    ≤ 1.8×    errors  –
GET, 64 connections: CPU, own reader in front, of nginx  ≤ 1.35×    errors  –

left out: caddy: not there
`,
  )
})

test('the tables for README', () => {
  const expected = `\`npm run bench\`, 2 × Some CPU, Linux 6.1, Node v26.10.0, nginx 1.22.1, 2026-01-02. CPU µs per request, and over nginx's:

|  | nginx | pyserve-ts |
|---|---|---|
| GET, 1 connection | 12.0 (1.00) | – |
| GET, 64 connections | 10.0 (1.00) | 15.0 (1.50) with errors |

- start to ready: 400 ms

| bar | limit | measured | reached |
`
  assert.equal(formatMarkdown(results).slice(0, expected.length), expected)
})

test('README has a place for them', () => {
  const text = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  assert.match(fillSection(text, 'benchmarks', 'TABLE'), /begin -->\nTABLE\n<!-- benchmarks: end/)
})
