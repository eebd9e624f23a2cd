import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path'

const DIR_MODE = 0o700
/** The shortest limit of the systems Node runs on: sun_path has 104 bytes on macOS and the BSDs, 108 on Linux. */
const MAX_SOCKET_PATH_BYTES = 103

/** Where one instance keeps its control socket, pid file and, if it has no other, its log. */
export interface RunDir {
  readonly path: string
  readonly socket: string
  readonly pidFile: string
  /** Where a daemon logs whose configuration names no file. */
  readonly logFile: string
  /** What a daemon prints: normally nothing. */
  readonly outputFile: string
}

export interface RunDirSource {
  readonly configFile: string
  /** `--run-dir`. */
  readonly wanted: string | undefined
  readonly env: NodeJS.ProcessEnv
  /** Undefined on systems without user ids. */
  readonly uid: number | undefined
  readonly tmpDir: string
}

/**
 * The run directory of a configuration: an instance's that is there already, else where a new one belongs. The
 * environment of `stop` may differ from that of `start`, so every place where an instance may be is looked at.
 */
export function locateRunDir(source: RunDirSource): RunDir {
  const candidates = listRunDirs(source).map(describeRunDir)
  const [first] = candidates
  const found = candidates.find((dir) => existsSync(dir.pidFile) || existsSync(dir.socket)) ?? first
  if (found === undefined) throw new Error('no place for a run directory')
  return found
}

/** Every place where the run directory of this configuration may be, best first. */
export function listRunDirs({ configFile, wanted, env, uid, tmpDir }: RunDirSource): string[] {
  const given = wanted ?? env['PYSERVE_RUN_DIR']
  if (given) return [resolve(given)]
  const name = instanceName(configFile)
  const xdg = env['XDG_RUNTIME_DIR']
  const places: string[] = []
  // A session's runtime directory goes away when root logs out, and /run does not.
  if (uid === 0 && isWritable('/run')) places.push('/run/pyserve-ts')
  if (xdg && isAbsolute(xdg) && existsSync(xdg)) places.push(join(xdg, 'pyserve-ts'))
  places.push(join(tmpDir, `pyserve-ts-${uid ?? 'user'}`))
  return places.map((place) => join(place, name))
}

export function describeRunDir(path: string): RunDir {
  return {
    path,
    socket: join(path, 'control.sock'),
    pidFile: join(path, 'pyserve-ts.pid'),
    logFile: join(path, 'pyserve-ts.log'),
    outputFile: join(path, 'output.log'),
  }
}

/** Makes the directory, for its owner only. Throws where it belongs to another user or is open to others. */
export function createRunDir({ path, socket }: RunDir, uid: number | undefined): void {
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH_BYTES) {
    throw new Error(`the run directory ${path} is too long for a Unix socket: choose a shorter one with --run-dir`)
  }
  const parent = dirname(path)
  // Below a directory that anyone may write to, somebody else could have been there first.
  if (basename(parent).startsWith('pyserve-ts')) createOwnDir(parent, uid)
  createOwnDir(path, uid)
}

/** Removes what the last instance left, but not a log that tells something; the directory itself once it is empty. */
export function cleanRunDir({ path, socket, pidFile, outputFile, logFile }: RunDir): void {
  for (const file of [socket, pidFile, outputFile]) rmSync(file, { force: true })
  if (statSync(logFile, { throwIfNoEntry: false })?.size === 0) rmSync(logFile)
  removeIfEmpty(path)
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // It has a log, or is in use as a mount point.
  }
}

function createOwnDir(path: string, uid: number | undefined): void {
  mkdirSync(path, { recursive: true, mode: DIR_MODE })
  const stats = lstatSync(path)
  if (!stats.isDirectory()) throw new Error(`the run directory ${path} is not a directory`)
  if (uid !== undefined && stats.uid !== uid) {
    throw new Error(`the run directory ${path} belongs to user ${stats.uid}, this is user ${uid}`)
  }
  if ((stats.mode & 0o002) !== 0) {
    throw new Error(`the run directory ${path} can be written by everyone (mode ${(stats.mode & 0o777).toString(8)})`)
  }
}

/** `<name of the file>-<8 hex digits of its real path>`: the same for every way to name one file. */
function instanceName(configFile: string): string {
  const path = realPath(configFile)
  const name = basename(path, extname(path)).replace(/[^\w.-]/g, '-')
  return `${name.slice(0, 32)}-${createHash('sha256').update(path).digest('hex').slice(0, 8)}`
}

/** The configuration may be gone while its instance still runs. */
function realPath(file: string): string {
  const path = resolve(file)
  try {
    return realpathSync(path)
  } catch {
    return existsSync(dirname(path)) ? join(realpathSync(dirname(path)), basename(path)) : path
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
