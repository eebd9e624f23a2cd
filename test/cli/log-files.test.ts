import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { waitFor } from '../helpers/wait.ts'
import { createDaemon } from './daemon-fixture.ts'

const REQUESTS = 200

test('no line is lost over rotation, SIGUSR1 and logs -f', { timeout: 120_000 }, async (t) => {
  const daemon = createDaemon(
    t,
    `server:
  port: 0
  workers: 2
  reverse_proxy:
    - { path: /, respond: { status: 200, body: ok } }
logging: { log_file: ./logs/p.log, use_rotation: true, max_log_size: 4kb, backup_count: 50 }
`,
  )
  await daemon.run('start')
  const url = await daemon.url()
  const follower = daemon.spawn(['logs', '-f', '-n', '1'])
  assert.ok(follower.stdout)
  const followed = new Set<string>()
  const reader = createInterface(follower.stdout).on('line', (line) => followed.add(JSON.parse(line).path))
  await once(reader, 'line')

  const logs = join(daemon.dir, 'logs')
  const sent: string[] = []
  for (let i = 0; i < REQUESTS; i++) {
    sent.push(`/${i}`)
    await (await fetch(`${url}/${i}`)).text()
    if (i % 50 === 49) await waitFor(() => readLogs(logs).has(`/${i}`), { what: 'the lines are written' })
  }
  await waitFor(() => readdirSync(logs).length > 1, { what: 'the file is rotated' })
  renameSync(join(logs, 'p.log'), join(logs, 'p.log.aside'))
  process.kill(daemon.pid() ?? 0, 'SIGUSR1')
  await waitFor(() => readdirSync(logs).includes('p.log'), { what: 'the file is made anew' })
  await (await fetch(`${url}/last`)).text()
  sent.push('/last')
  await waitFor(() => isSubset(sent, followed), { what: 'the follower has every line' })
  await waitFor(() => isSubset(sent, readLogs(logs)), { what: 'the files have every line' })
  follower.kill('SIGINT')
  const [code] = await once(follower, 'exit')
  assert.equal(code, 0)
})

function isSubset(paths: readonly string[], seen: ReadonlySet<unknown>): boolean {
  return paths.every((path) => seen.has(path))
}

/** The paths of all requests in all files; every line must be whole but one that is being written. */
function readLogs(dir: string): Set<unknown> {
  const lines = readdirSync(dir).flatMap((name) => readIfThere(join(dir, name)).split('\n').slice(0, -1))
  return new Set(lines.map((line) => JSON.parse(line).path))
}

/** Between the look at the folder and at the file it may have got its next name. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
