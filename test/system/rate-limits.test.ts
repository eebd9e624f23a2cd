import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { assertDone, type Daemon, startDaemon } from '../helpers/daemon.ts'
import { startPacedLoad } from '../helpers/paced-load.ts'
import { proxyConfig } from '../helpers/proxy-config.ts'
import { neededBurst } from '../limits/fleet.ts'

const PER_SECOND = 100
/** What is saved in two seconds: a load that stalls for less loses nothing of what it may have. */
const BURST = 200
/** Between the moment that a request passes and the time on its line in the log. */
const BLUR_MS = 100
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
    const allowance = (sinceMs: number) => BURST + (PER_SECOND * (lastMs - sinceMs)) / 1_000
    // The first was let pass at some moment between its request and its answer.
    const [least, most] = [allowance(passed[0] ?? 0), allowance(load.startedMs)]
    const share = (passed.length / most - 1) * 100
    t.diagnostic(
      `admitted ${passed.length} of ${passed.length + refused.length}, where ${least.toFixed(1)} to ${most.toFixed(1)} may pass: ${share.toFixed(2)} %`,
    )
    const needed = neededBurst(readPassTimes(daemon), PER_SECOND / 1_000)
    t.diagnostic(`no window had more than a burst of ${needed.toFixed(1)} allows`)
    assert.ok(refused.length > passed.length / 2, 'there was not enough load to tell')
    assert.ok(needed <= BURST + (PER_SECOND * BLUR_MS) / 1_000, `a window had what a burst of ${needed} allows`)
    assert.ok(passed.length >= least * 0.99, `${passed.length} where ${least} may pass`)
    assert.ok(passed.length <= most * 1.01, `${passed.length} where ${most} may pass`)
    assert.deepEqual([...load.answers.keys()].toSorted(), [200, 429])
  })
}

/** When each answer was given, by the clocks of the workers. */
function readPassTimes(daemon: Daemon): number[] {
  const lines = daemon
    .readLog()
    .split('\n')
    .filter((line) => line.includes('"status":200'))
  return lines.map((line) => Date.parse(JSON.parse(line).time)).sort((a, b) => a - b)
}
