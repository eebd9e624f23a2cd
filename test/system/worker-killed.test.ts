import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startEcho } from '../helpers/backends.ts'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { countRequests, describeLoad, type LoadFailure, startLoad } from '../helpers/load.ts'
import { listPeerPorts } from '../helpers/processes.ts'
import { proxyConfig, routeTo } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const BACK_WITHIN_MS = 1_000

test('kill -9 of each worker under load fails only what it had open, and another takes its place', async (t) => {
  const backend = await startEcho(t)
  const daemon = await startDaemon(t, { config: proxyConfig([routeTo('/load', backend)]) })
  const load = startLoad({ port: daemon.port }, { path: '/load' })
  const { workers } = await daemon.status()
  const lost = new Set<number>()

  for (const { id, pid } of workers) {
    await waitFor(() => listPeerPorts(pid, daemon.port).size > 0, { what: `connections of worker ${id}` })
    // Stopped first: what it has open can then be told from what others get.
    process.kill(pid, 'SIGSTOP')
    const open = listPeerPorts(pid, daemon.port)
    for (const port of open) lost.add(port)
    process.kill(pid, 'SIGKILL')
    const tookMs = await measureReturn(daemon, id, pid)
    t.diagnostic(`worker ${id} had ${open.size} connections open; ready again after ${Math.round(tookMs)} ms`)
    assert.ok(tookMs < BACK_WITHIN_MS, `${tookMs} ms`)
    const before = countRequests(load.result)
    await waitFor(() => countRequests(load.result) > before + 200, { what: 'the load to go on' })
  }

  const result = await load.stop()
  t.diagnostic(describeLoad(result))
  const hurt = Object.values(result).flatMap(({ failed, retried }) => [...failed, ...retried])
  assert.ok(hurt.length <= lost.size, `${hurt.length} requests failed on ${lost.size} connections`)
  assert.deepEqual(
    hurt.filter((failure) => !isOnOneOf(failure, lost)),
    [],
    'a request failed that another worker had',
  )
  const after = await daemon.status()
  assert.deepEqual(
    after.workers.map(({ crashes }) => crashes),
    [1, 1],
  )
})

async function measureReturn(daemon: Daemon, id: number, deadPid: number): Promise<number> {
  const startedMs = performance.now()
  const isBack = async () => {
    const { workers } = await daemon.status()
    return workers.some((worker) => worker.id === id && worker.pid !== deadPid && worker.state === 'ready')
  }
  await waitFor(isBack, { what: `worker ${id} to be back`, everyMs: 5 })
  return performance.now() - startedMs
}

function isOnOneOf({ localPort }: LoadFailure, ports: ReadonlySet<number>): boolean {
  return localPort !== undefined && ports.has(localPort)
}
