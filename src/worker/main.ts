import cluster from 'node:cluster'
import { enableCompileCache } from 'node:module'
import process from 'node:process'

// The primary decides when a worker ends: a signal that reaches the whole process group must not.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const) {
  process.on(signal, () => {})
}

// Node ends a worker at once when its primary is gone; what is open is worth a drain of its own.
if (cluster.worker) cluster.worker.exitedAfterDisconnect = true

// What is loaded from here on is compiled once for all workers to come: a dead one is replaced sooner.
enableCompileCache()
const { Worker } = await import('./worker.ts')
new Worker(process).start()
