import type { Writable } from 'node:stream'
import { createLineGatherer } from './line-gatherer.ts'

// POSIX pipes: a write up to PIPE_BUF bytes is never mixed with another process' write.
const ATOMIC_WRITE_BYTES = 4096
/** What may wait for a reader that does not read. */
const MAX_WAITING_BYTES = 1024 * 1024

export interface ConsoleStream extends Writable {
  readonly isTTY?: boolean
}

export interface Console {
  /** Gathered with others. */
  write(line: string): void
  /** At once, with what was gathered. */
  writeNow(line: string): void
  flush(): void
}

/** Lines to a stream that other processes may share. A reader that does not read or is gone costs lines, nothing else. */
export function createConsole(stream: ConsoleStream): Console {
  const gatherer = createLineGatherer((lines) => {
    if (!stream.writable || stream.writableLength > MAX_WAITING_BYTES) return
    if (stream.isTTY) stream.write(lines)
    else for (const part of splitLines(lines, ATOMIC_WRITE_BYTES)) stream.write(part)
  })
  // A reader that went away is noticed late, so this listener is never taken off.
  stream.on('error', () => {})
  return {
    write: gatherer.add,
    writeNow(line) {
      gatherer.add(line)
      gatherer.flush()
    },
    flush: gatherer.flush,
  }
}

/** Parts of whole lines, each up to `maxBytes` in UTF-8; a line that is longer is a part by itself. */
export function splitLines(lines: string, maxBytes: number): string[] {
  if (Buffer.byteLength(lines) <= maxBytes) return [lines]
  const parts: string[] = []
  let part = ''
  for (const line of lines.split(/(?<=\n)/)) {
    if (part !== '' && Buffer.byteLength(part) + Buffer.byteLength(line) > maxBytes) {
      parts.push(part)
      part = ''
    }
    part += line
  }
  if (part !== '') parts.push(part)
  return parts
}
