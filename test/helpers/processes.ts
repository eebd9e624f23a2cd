import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface ProcessSample {
  readonly pid: number
  readonly command: string
}

/** Processes that have `marker` in their environment or their command line, without this one. Linux only. */
export function findProcesses(marker: string): ProcessSample[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  return pids.flatMap((pid) => {
    const command = readProc(pid, 'cmdline').replaceAll('\0', ' ').trim()
    if (!command.includes(marker) && !readProc(pid, 'environ').includes(marker)) return []
    return isEnded(pid) ? [] : [{ pid: Number(pid), command }]
  })
}

/** Resident memory in bytes; 0 where there is no such process. */
export function readRssBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(String(pid), 'status'))
  return Number(match?.[1] ?? 0) * 1024
}

export function countFds(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Remote ports of a process's established connections whose own port is `localPort`. */
export function listPeerPorts(pid: number, localPort: number): Set<number> {
  const inodes = new Set(readdirSync(`/proc/${pid}/fd`).flatMap((fd) => readSocketInode(pid, fd)))
  const tables = readProc(String(pid), 'net/tcp') + readProc(String(pid), 'net/tcp6')
  const ports = new Set<number>()
  for (const line of tables.split('\n')) {
    const [, local = '', remote = '', , , , , , , inode = ''] = line.trim().split(/\s+/)
    if (inodes.has(inode) && readPort(local) === localPort && readPort(remote) !== 0) ports.add(readPort(remote))
  }
  return ports
}

function readPort(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16)
}

function readSocketInode(pid: number, fd: string): string[] {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]
    return inode === undefined ? [] : [inode]
  } catch {
    return []
  }
}

function isEnded(pid: string): boolean {
  const stat = readProc(pid, 'stat')
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
  return state === 'Z' || state === 'X' || state === ''
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
