import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

const FILE_MODE = 0o640
const RETRY_MS = 1000
/** What is kept in memory while the file cannot be written. */
const MAX_HELD_BYTES = 256 * 1024
const NEWLINE = 0x0a

export interface LineFile {
  readonly path: string
  /** Whole lines, each with its newline. Never throws: what cannot be written is held for a while, then counted. */
  write(lines: string): void
  /** Goes on with whatever file the path names now. Throws, keeping the old file, where that cannot be opened. */
  reopen(): void
  /** Tries once more what could not be written. */
  flush(): void
  /** Flushes; nothing may be written after it. */
  close(): void
}

export interface LineFileWatcher {
  /** The first failed write of a row of them. */
  failed(error: Error): void
  /** Writing works again; `lost` lines could not be held. */
  recovered(lost: number): void
}

/**
 * A file that several processes append lines to at the same time, each write being whole lines.
 * Its directory is created. Throws an error that names the path where it cannot be opened for appending.
 */
export function openLineFile(path: string, watcher: LineFileWatcher): LineFile {
  let fd = openForAppend(path)
  let held: Buffer = Buffer.alloc(0)
  let lost = 0
  let retryTimer: NodeJS.Timeout | undefined

  function append(bytes: Buffer): void {
    held = bytes
    try {
      while (held.length > 0) held = held.subarray(writeSync(fd, held))
    } catch (error) {
      const isFirst = retryTimer === undefined
      clearTimeout(retryTimer)
      retryTimer = setTimeout(retry, RETRY_MS).unref()
      if (isFirst) watcher.failed(error as Error)
      return
    }
    if (retryTimer === undefined) return
    clearTimeout(retryTimer)
    retryTimer = undefined
    const count = lost
    lost = 0
    watcher.recovered(count)
  }

  function hold(lines: string): void {
    const bytes = Buffer.from(lines)
    if (held.length + bytes.length <= MAX_HELD_BYTES) held = Buffer.concat([held, bytes])
    else lost += countLines(bytes)
  }

  function retry(): void {
    try {
      replaceFd(openForAppend(path))
    } catch {
      // The old descriptor may work again even so.
    }
    append(held)
  }

  function replaceFd(next: number): void {
    closeSync(fd)
    fd = next
  }

  function flush(): void {
    if (retryTimer !== undefined) append(held)
  }

  return {
    path,
    write(lines) {
      if (retryTimer === undefined) append(Buffer.from(lines))
      else hold(lines)
    },
    reopen() {
      replaceFd(openForAppend(path))
      flush()
    },
    flush,
    close() {
      flush()
      clearTimeout(retryTimer)
      closeSync(fd)
    },
  }
}

/** Throws an error that names the path where a log could not be written there. Leaves an empty file behind. */
export function checkLogFile(path: string): void {
  closeSync(openForAppend(path))
}

function openForAppend(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true })
    return openSync(path, 'a', FILE_MODE)
  } catch (error) {
    throw new Error(`cannot write the log file ${path}: ${(error as Error).message}`, { cause: error })
  }
}

function countLines(bytes: Buffer): number {
  let count = 0
  for (const byte of bytes) if (byte === NEWLINE) count++
  return count
}
