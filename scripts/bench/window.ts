import { type CpuReading, cpuBetween, readCpu, readTreeRssBytes } from './process-tree.ts'

/** What a load generator saw. */
export interface LoadResult {
  /** Complete ones. */
  readonly requests: number
  /** Received; 0 where nobody counted. */
  readonly bytes: number
  readonly seconds: number
  readonly p50Micros: number
  readonly p99Micros: number
  /** What went wrong, counted by kind; empty where nothing did. */
  readonly errors: Readonly<Record<string, number>>
}

/** The time that is measured. A load calls each once. */
export interface Window {
  open(): void
  close(): void
}

export interface Sample extends LoadResult {
  /** User and system time of all processes of the contender; undefined where one of them ended. */
  readonly cpuMicros: number | undefined
  /** Of all its processes, at the end. */
  readonly rssBytes: number
}

export const UNMEASURED: Window = { open: () => undefined, close: () => undefined }

/** Runs a load and reads what the processes of a contender used in its window. */
export async function measure(rootPid: number, run: (window: Window) => Promise<LoadResult>): Promise<Sample> {
  let before: CpuReading = new Map()
  let after: CpuReading = new Map()
  let rssBytes = 0
  const result = await run({
    open() {
      before = readCpu(rootPid)
    },
    close() {
      after = readCpu(rootPid)
      rssBytes = readTreeRssBytes(rootPid)
    },
  })
  return { ...result, cpuMicros: cpuBetween(before, after), rssBytes }
}
