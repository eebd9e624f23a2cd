import { renameSync, type Stats, statSync } from 'node:fs'

const CHECK_MS = 1000
/** Checks between two tries while a file that is gone cannot be made anew. */
const CHECKS_PER_TRY = 30

export interface RotationSettings {
  readonly useRotation: boolean
  /** 0: never rotated. */
  readonly maxLogBytes: number
  /** 0: never rotated. */
  readonly backupCount: number
}

export interface LogFileOwner {
  /** The file that is written now. */
  file(): string | undefined
  rotation(): RotationSettings
  /** Every process that writes the file must open its path again. */
  reopen(): void
  failed(error: Error): void
}

export interface LogFileWatch {
  check(): void
  close(): void
}

/**
 * Looks after a log file once a second, and at once: rotates it when it is full, and has it reopened when its path
 * no longer names the file that is being written. For one process only: the others are told through `reopen`, and what
 * they write before they are is in the renamed file.
 */
export function watchLogFile(owner: LogFileOwner): LogFileWatch {
  let known: { readonly path: string; readonly inode: number } | undefined
  let checksGone = 0
  let hasFailed = false

  function check(): void {
    const path = owner.file()
    if (path === undefined) return
    const stats = statFile(path)
    if (!stats) {
      if (checksGone++ % CHECKS_PER_TRY === 0) owner.reopen()
    } else if (known?.path === path && known.inode !== stats.ino) owner.reopen()
    else if (isFull(stats, owner.rotation()) && rotate(path)) owner.reopen()
    const now = statFile(path)
    if (now) checksGone = 0
    known = now && { path, inode: now.ino }
  }

  function rotate(path: string): boolean {
    try {
      rotateLogFile(path, owner.rotation().backupCount)
      hasFailed = false
      return true
    } catch (error) {
      if (!hasFailed) owner.failed(new Error(`cannot rotate the log file ${path}`, { cause: error }))
      hasFailed = true
      return false
    }
  }

  check()
  const timer = setInterval(check, CHECK_MS).unref()
  return { check, close: () => clearInterval(timer) }
}

/** Renames file to file.1, file.1 to file.2 and so on; the last one is overwritten. Throws where a rename fails. */
export function rotateLogFile(path: string, backupCount: number): void {
  for (let number = backupCount - 1; number >= 1; number--) {
    if (statFile(`${path}.${number}`)) renameSync(`${path}.${number}`, `${path}.${number + 1}`)
  }
  renameSync(path, `${path}.1`)
}

function isFull(stats: Stats, { useRotation, maxLogBytes, backupCount }: RotationSettings): boolean {
  if (!useRotation || maxLogBytes === 0 || backupCount === 0) return false
  return stats.isFile() && stats.size >= maxLogBytes
}

function statFile(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}
