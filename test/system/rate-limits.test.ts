import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { assertDone, startDaemon } from '../helpers/daemon.ts'
import { startPacedLoad } from '../helpers/paced-load.ts'
import { proxyConfig } from '../helpers/proxy-config.ts'

const PER_SECOND = 100
const BURST = 100
/** Of steady load before, between and after what happens in the middle. */
const STEADY_MS = 2_000

for (const workers of [1, 2, 4, 8]) {
  test(`a limit of ${PER_SECOND}/s over ${workers} workers holds over a reload and a rolling restart`, async (t) => {
    const limited = {
      path: '/limited',
      respond: { body: 'ok' },
      rate_limit: { requests: PER_SECOND, per: '1s', burst: BURST, key: 'ip' },
    }
    const server = { workers, timeouts: { drain: '2s' } }
    const daemon = await startDaemon(t, { config: proxyConfig([limited], server) })
    const load = startPacedLoad({ port: daemon.port, path: '/limited', clients: 24, pauseMs: 50 })
    await delay(STEADY_MS)
    daemon.writeConfig(proxyConfig([limited, { path: '/other', respond: { body: 'other' } }], server))
    assert.equal((await daemon.reload()).ok, true)
    await delay(STEADY_MS)
    assertDone(await daemon.cli('restart'))
    await delay(STEADY_MS)
    await load.stop()

    const refused = load.answers.get(429) ?? []
    // When somebody is refused everything that was allowed until then was used: a pause of the load after it tells nothing.
    const lastMs = refused.at(-1) ?? 0
    const passed = (load.answers.get(200) ?? []).filter((atMs) => atMs <= lastMs)
    const seconds = (lastMs - (passed[0] ?? 0)) / 1_000
    const allowance = BURST + PER_SECOND * seconds
    const share = (passed.length / allowance - 1) * 100
    t.diagnostic(
      `admitted ${passed.length} of ${passed.length + refused.length} in ${seconds.toFixed(2)} s, where ${allowance.toFixed(0)} may pass: ${share.toFixed(2)} %`,
    )
    assert.ok(refused.length > passed.length / 2, 'there was not enough load to tell')
    assert.ok(Math.abs(passed.length - allowance) <= allowance * 0.01, `${passed.length} where ${allowance} may pass`)
    assert.deepEqual([...load.answers.keys()].toSorted(), [200, 429])
  })
}
