import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { CommandError } from './outcome.ts'
import { claimPidFile, readPidFile, releasePidFile } from './pid-file.ts'
import { isAlive, type ProcessIdentity } from './process-identity.ts'
import type { RunDir } from './run-dir.ts'

/** The right of this process to be the one instance of its run directory. */
export interface Instance {
  release(): void
}

/** Throws a CommandError where another process has it. */
export async function claimInstance(runDir: RunDir): Promise<Instance> {
  const lock = await takeLock(runDir.path)
  if (lock === 'taken') throw alreadyRunning(findInstance(runDir))
  const owner = claimPidFile(runDir.pidFile)
  if (owner) {
    lock?.close()
    throw alreadyRunning(owner)
  }
  return {
    release() {
      releasePidFile(runDir.pidFile)
      lock?.close()
    },
  }
}

/** The process that runs in this directory, as far as its pid file tells. */
export function findInstance(runDir: RunDir): ProcessIdentity | undefined {
  const owner = readPidFile(runDir.pidFile)
  return owner && isAlive(owner) ? owner : undefined
}

export function alreadyRunning(owner: ProcessIdentity | undefined): CommandError {
  if (!owner) return new CommandError('pyserve-ts is just being started for this configuration')
  return new CommandError(`pyserve-ts is already running for this configuration, pid ${owner.pid}`, {
    fields: { running: true, pid: owner.pid },
  })
}

/**
 * A name in Linux' abstract socket namespace: taken by one process at a time, and gone with it however it ends.
 * Elsewhere there is only the pid file, and a race of two starts over a stale one within the same millisecond.
 */
function takeLock(path: string): Promise<Server | 'taken' | undefined> {
  if (process.platform !== 'linux') return Promise.resolve(undefined)
  const name = createHash('sha256').update(realpathSync(path)).digest('hex')
  const server = createServer((socket) => socket.destroy()).unref()
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve('taken') : reject(error),
    )
    server.listen(`\0pyserve-ts/${name}`, () => resolve(server))
  })
}
