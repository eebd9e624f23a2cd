import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Listens and never accepts: its thread sleeps for good. */
const SLEEPER = `
const server = require('node:net').createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  process.send(server.address().port, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
})
`

/** A loopback port whose queue is full, so that a connection to it stays in the making. */
export async function openBlackHole(t: TestContext): Promise<number> {
  const child = fork('-', { execArgv: ['-e', SLEEPER], stdio: 'ignore' })
  const gone = once(child, 'exit')
  const fillers: Socket[] = []
  t.after(async () => {
    for (const filler of fillers) filler.destroy()
    child.kill('SIGKILL')
    await gone
  })
  const [port] = (await once(child, 'message')) as [number]
  for (;;) {
    const filler = connect({ port, host: '127.0.0.1' }).on('error', () => {})
    fillers.push(filler)
    const isQueued = await Promise.race([
      once(filler, 'connect').then(() => true),
      new Promise<false>((resolve) => setTimeout(resolve, 300, false)),
    ])
    if (!isQueued) return port
  }
}
