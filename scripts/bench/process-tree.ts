import { readdirSync, readFileSync } from 'node:fs'

/** What the kernel counts in: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
const MICROS_PER_TICK = 1_000_000 / TICKS_PER_SECOND

export interface ProcessStat {
  readonly pid: number
  readonly parentPid: number
  /** `Z` and `X` have ended. */
  readonly state: string
  /** User and system time of the process with all its threads, those that ended too. */
  readonly cpuMicros: number
}

/** CPU time so far by process. */
export type CpuReading = ReadonlyMap<number, number>

/** Reads `/proc/PID/stat`, whose second field may hold spaces and parentheses. Undefined where it is not one. */
export function parseStat(text: string): ProcessStat | undefined {
  const end = text.lastIndexOf(')')
  const pid = Number.parseInt(text, 10)
  const fields = text.slice(end + 2).split(' ')
  const [state, parent, userTicks, systemTicks] = [fields[0], fields[1], fields[11], fields[12]]
  if (end === -1 || Number.isNaN(pid) || !state || systemTicks === undefined) return undefined
  return {
    pid,
    parentPid: Number(parent),
    state,
    cpuMicros: (Number(userTicks) + Number(systemTicks)) * MICROS_PER_TICK,
  }
}

/** A process and all that descend from it, without those that have ended. */
export function readTree(rootPid: number): ProcessStat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => parseStat(readProc(pid, 'stat')) ?? [])
    .filter(({ state }) => state !== 'Z' && state !== 'X')
  return selectTree(all, rootPid)
}

export function selectTree(all: readonly ProcessStat[], rootPid: number): ProcessStat[] {
  const selected = all.filter(({ pid }) => pid === rootPid)
  for (const parent of selected) selected.push(...all.filter(({ parentPid }) => parentPid === parent.pid))
  return selected
}

export function readCpu(rootPid: number): CpuReading {
  return new Map(readTree(rootPid).map(({ pid, cpuMicros }) => [pid, cpuMicros]))
}

/**
 * CPU time between two readings. Undefined where a process ended in between: what it used is not known. One that was
 * started in between counts from its start.
 */
export function cpuBetween(before: CpuReading, after: CpuReading): number | undefined {
  if (before.size === 0 || [...before.keys()].some((pid) => !after.has(pid))) return undefined
  let micros = 0
  for (const [pid, total] of after) micros += total - (before.get(pid) ?? 0)
  return micros
}

/** Resident memory of one process in bytes; 0 where it is gone. */
export function readRssBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(String(pid), 'status'))
  return Number(match?.[1] ?? 0) * 1024
}

/** Of the whole tree; pages that its processes share count once for each. */
export function readTreeRssBytes(rootPid: number): number {
  return readTree(rootPid).reduce((sum, { pid }) => sum + readRssBytes(pid), 0)
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
