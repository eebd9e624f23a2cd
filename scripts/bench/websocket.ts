import { createInterface } from 'node:readline'
import type { Lab } from './lab.ts'
import { launchProgram } from './node-proxies.ts'
import type { WebSocketLoadOptions, WebSocketLoadResult } from './programs/websocket-load.ts'
import type { LoadResult, Window } from './window.ts'

/** Runs the WebSocket load in a process of its own; the window opens when all connections are open. */
export async function runWebSocketLoad(lab: Lab, options: WebSocketLoadOptions, window: Window): Promise<LoadResult> {
  lab.signal.throwIfAborted()
  const child = lab.converse(launchProgram('websocket-load', options))
  const abort = () => child.kill('SIGKILL')
  lab.signal.addEventListener('abort', abort)
  try {
    if (child.stdout === null) throw new Error('the WebSocket load has no output')
    for await (const line of createInterface(child.stdout)) {
      if (line === 'open') {
        window.open()
        child.stdin?.write('go\n')
        continue
      }
      window.close()
      const { messages, seconds, p50Micros, p99Micros, errors } = JSON.parse(line) as WebSocketLoadResult
      return { requests: messages, bytes: 0, seconds, p50Micros, p99Micros, errors: errors > 0 ? { errors } : {} }
    }
    lab.signal.throwIfAborted()
    throw new Error(`the WebSocket load ended without a result, exit code ${child.exitCode}`)
  } finally {
    lab.signal.removeEventListener('abort', abort)
    await lab.stop(child)
  }
}
