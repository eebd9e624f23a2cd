import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'

const FILE_MODE = 0o644
const MAX_TRIES = 20

/** The process that a pid file names, alive or not; undefined where there is no file or it makes no sense. */
export function readPidFile(path: string): ProcessIdentity | undefined {
  try {
    return parsePidFile(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** The pid on the first line, for other programs; then the start time, which tells a later process with that pid. */
export function parsePidFile(text: string): ProcessIdentity | undefined {
  const match = /^([1-9]\d{0,9})(?:\nstarted (.*))?\n?$/.exec(text)
  return match?.[1] === undefined ? undefined : { pid: Number(match[1]), startTime: match[2] ?? '' }
}

export function formatPidFile({ pid, startTime }: ProcessIdentity): string {
  return `${pid}\nstarted ${startTime}\n`
}

/**
 * Writes this process into the file unless it names another that is alive, which is returned then. Of several
 * processes that find a stale file at the same time only one must get it: see `instance.ts` for the lock.
 */
export function claimPidFile(path: string): ProcessIdentity | undefined {
  const self = identifyProcess(process.pid) ?? { pid: process.pid, startTime: '' }
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, formatPidFile(self), { mode: FILE_MODE })
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (linkIfAbsent(draft, path)) return undefined
      const owner = readPidFile(path)
      if (owner && isAlive(owner)) return owner
      removeStale(path, owner)
    }
    throw new Error(`cannot take the pid file ${path}`)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Removes the file where it names this process. */
export function releasePidFile(path: string): void {
  if (readPidFile(path)?.pid === process.pid) rmSync(path, { force: true })
}

/** A link appears with its whole content or not at all, which a file that is opened and then written does not. */
function linkIfAbsent(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Renamed first: what is looked at then is what will be removed, whatever another process does meanwhile. */
function removeStale(path: string, stale: ProcessIdentity | undefined): void {
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  const taken = readPidFile(aside)
  if (taken && taken.pid !== stale?.pid && isAlive(taken)) linkIfAbsent(aside, path)
  rmSync(aside, { force: true })
}
