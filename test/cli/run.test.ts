import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { waitFor } from '../helpers/wait.ts'
import { collect, createDaemon, simpleConfig } from './daemon-fixture.ts'

const options = { timeout: 120_000 }

test('run serves in the foreground and drains on Ctrl-C', options, async (t) => {
  const daemon = createDaemon(t, simpleConfig())
  const run = daemon.spawn(['run'])
  assert.ok(run.stdout)
  const lines: string[] = []
  const reader = createInterface(run.stdout).on('line', (line) => lines.push(line))
  await waitFor(() => lines.some((line) => line.includes('  log ')), { what: 'it says where it listens' })
  const url = /listen {2}(http\S+)/.exec(lines.join('\n'))?.[1]
  assert.equal(await (await fetch(`${url}/ok`)).text(), 'fine')
  assert.equal(daemon.pid(), run.pid)
  await waitFor(() => lines.some((line) => / 200 GET .*\/ok /.test(line)), { what: 'the request is on the console' })
  assert.equal((await daemon.run('start')).status, 1)
  run.kill('SIGINT')
  const [code] = await once(run, 'exit')
  assert.equal(code, 0)
  reader.close()
  assert.ok(!existsSync(daemon.runDir))
})

test('run --json prints one document and logs to a file', options, async (t) => {
  const daemon = createDaemon(t, simpleConfig())
  const run = daemon.spawn(['run', '--json'])
  const result = collect(run)
  assert.ok(run.stdout)
  await once(run.stdout, 'data')
  await fetch(`${await daemon.url()}/ok`)
  run.kill('SIGTERM')
  const { stdout, status } = await result
  assert.equal(JSON.parse(stdout).ok, true)
  assert.equal(status, 0)
  assert.match(readFileSync(join(daemon.runDir, 'pyserve-ts.log'), 'utf8'), /"msg":"request"/)
})
