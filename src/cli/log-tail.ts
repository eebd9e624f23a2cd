import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const BLOCK_BYTES = 64 * 1024
const POLL_MS = 200
/** Rotated files that are looked at for the one that was being read. */
const MAX_BACKUPS = 100
const NEWLINE = 0x0a
/** A worker writes to the old file until it is told of the new one. */
const LATE_MS = 5_000

/** A file that the path no longer names, and that may still be written to. */
interface LeftFile {
  readonly fd: number
  offset: number
  readonly untilMs: number
}

export interface TailEnd {
  /** The last lines, each with its newline; a last one that is still being written is left out. */
  readonly lines: string[]
  /** Where the next line begins. */
  readonly offset: number
}

/** The last `count` lines of what `fd` has. */
export function readLastLines(fd: number, count: number): TailEnd {
  let start = fstatSync(fd).size
  let tail = Buffer.alloc(0)
  // One newline more than lines: the one before the first of them.
  while (start > 0 && countNewlines(tail) <= count) {
    const length = Math.min(BLOCK_BYTES, start)
    start -= length
    tail = Buffer.concat([readAt(fd, start, length), tail])
  }
  const end = tail.lastIndexOf(NEWLINE) + 1
  const lines = splitLines(tail.subarray(0, end).toString())
  return { lines: count === 0 ? [] : lines.slice(-count), offset: start + end }
}

/**
 * The last `count` lines of the file, then, with `follow`, those that are written to it, until `signal`. Goes on
 * in the new file when the path is given to another one, after the rest of the old and of what was rotated meanwhile;
 * waits for a file that is not there.
 */
export async function* tailFile(
  path: string,
  count: number,
  follow: AbortSignal | undefined,
): AsyncGenerator<string[]> {
  const left: LeftFile[] = []
  let fd = openIfThere(path)
  try {
    let { lines, offset } = fd === undefined ? { lines: [], offset: 0 } : readLastLines(fd, count)
    if (lines.length > 0) yield lines
    while (follow && !follow.aborted) {
      // Asked before the rest is read, so that nothing that went to the old file is missed.
      const isMoved = fd === undefined || names(path, fd) === false
      yield* readLeft(left, performance.now())
      if (fd !== undefined) {
        if (fstatSync(fd).size < offset) offset = 0
        const rest = readFrom(fd, offset)
        offset += rest.bytes
        if (rest.lines.length > 0) yield rest.lines
      }
      const next = isMoved ? openIfThere(path) : undefined
      if (next === undefined) {
        await pause(follow)
        continue
      }
      if (fd !== undefined) {
        const untilMs = performance.now() + LATE_MS
        const skipped = listSkipped(path, fd).map(openIfThere)
        left.push({ fd, offset, untilMs })
        for (const skippedFd of skipped) if (skippedFd !== undefined) left.push({ fd: skippedFd, offset: 0, untilMs })
      }
      fd = next
      offset = 0
    }
  } finally {
    for (const file of left) closeSync(file.fd)
    if (fd !== undefined) closeSync(fd)
  }
}

/** What came late to files that the path no longer names, oldest first; those whose time is over are closed. */
function* readLeft(left: LeftFile[], nowMs: number): Generator<string[]> {
  for (const file of [...left]) {
    const rest = readFrom(file.fd, file.offset)
    file.offset += rest.bytes
    if (rest.lines.length > 0) yield rest.lines
    if (nowMs < file.untilMs) continue
    left.splice(left.indexOf(file), 1)
    closeSync(file.fd)
  }
}

/** What was rotated away between the open file and the one that the path names now, oldest first. */
function listSkipped(path: string, fd: number): string[] {
  const { ino } = fstatSync(fd)
  const newer: string[] = []
  for (let number = 1; number <= MAX_BACKUPS; number++) {
    const backup = `${path}.${number}`
    const stats = statSync(backup, { throwIfNoEntry: false })
    if (!stats) return []
    if (stats.ino === ino) return newer.reverse()
    newer.push(backup)
  }
  return []
}

function readFrom(fd: number, offset: number): { lines: string[]; bytes: number } {
  const size = fstatSync(fd).size - offset
  if (size <= 0) return { lines: [], bytes: 0 }
  const bytes = readAt(fd, offset, size)
  const end = bytes.lastIndexOf(NEWLINE) + 1
  return { lines: splitLines(bytes.subarray(0, end).toString()), bytes: end }
}

function readAt(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  const read = readSync(fd, buffer, 0, length, position)
  return buffer.subarray(0, read)
}

function splitLines(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/)
}

function countNewlines(buffer: Buffer): number {
  let count = 0
  for (const byte of buffer) if (byte === NEWLINE) count++
  return count
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whether the path still names the open file. */
function names(path: string, fd: number): boolean {
  const there = statSync(path, { throwIfNoEntry: false })
  return there === undefined || there.ino === fstatSync(fd).ino
}

async function pause(signal: AbortSignal): Promise<void> {
  await delay(POLL_MS, undefined, { signal }).catch(() => {})
}
