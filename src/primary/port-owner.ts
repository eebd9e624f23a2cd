import { readdir, readFile, readlink } from 'node:fs/promises'

export interface PortOwner {
  readonly pid: number
  readonly name: string
}

const TCP_TABLES = ['/proc/net/tcp', '/proc/net/tcp6']
const STATE_LISTEN = '0A'

/** The process that listens on a TCP port, where /proc tells it: on Linux, for the processes of this user (root: all). */
export async function findPortOwner(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all(TCP_TABLES.map((path) => readFile(path, 'utf8').catch(() => '')))
  const sockets = new Set(
    tables.flatMap((table) => listListeningInodes(table, port)).map((inode) => `socket:[${inode}]`),
  )
  if (sockets.size === 0) return undefined
  for (const pid of await listFolder('/proc')) {
    if (!/^\d+$/.test(pid) || !(await holdsOneOf(pid, sockets))) continue
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
    return { pid: Number(pid), name: name.trim() || 'a program' }
  }
  return undefined
}

/** Inodes of the listening sockets on a port, from the text of /proc/net/tcp or tcp6. */
export function listListeningInodes(table: string, port: number): string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0')
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
      return state === STATE_LISTEN && local.endsWith(`:${hexPort}`) && inode !== undefined ? [inode] : []
    })
}

async function holdsOneOf(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const fds = await listFolder(`/proc/${pid}/fd`)
  const targets = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
  return targets.some((target) => sockets.has(target))
}

function listFolder(path: string): Promise<string[]> {
  return readdir(path).catch(() => [])
}
