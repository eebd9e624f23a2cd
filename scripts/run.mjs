import { spawn } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

const bin = join(root, 'node_modules', '.bin')

// npm passes Ctrl-C on to a process that already had it from the terminal; both copies mean one key press.
const SAME_SIGNAL_WITHIN_MS = 300

/** Whether the module at this URL is the one that node was started with. */
export function isMain(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url)
}

/** The environment in which `node` is the pinned one. */
export function pinnedEnv() {
  return { ...process.env, PATH: [bin, outerPath()].join(delimiter) }
}

/** PATH without this checkout's own programs, for the step that replaces them. */
export function outerPath() {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((dir) => dir !== '' && dir !== bin)
    .join(delimiter)
}

/** Runs a program to its end without showing what it prints. Resolves to { code, output }; rejects if it cannot start. */
export function runQuietly(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk) => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Runs the pinned Node to its end, passing signals on. Resolves to the exit code, 128 + n where signal n ended it. */
export function runPinnedNode(args) {
  return new Promise((resolve, reject) => {
    // In a group of its own the child gets each signal from here only, not a second copy from the terminal.
    const child = spawn(join(bin, 'node'), args, { cwd: root, env: pinnedEnv(), stdio: 'inherit', detached: true })
    const stopForwarding = forwardSignals(child)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      stopForwarding()
      resolve(code ?? 128 + (constants.signals[signal] ?? 0))
    })
  })
}

function forwardSignals(child) {
  const lastMs = new Map()
  const forward = (signal) => {
    const nowMs = Date.now()
    const repeated = nowMs - (lastMs.get(signal) ?? 0) < SAME_SIGNAL_WITHIN_MS
    lastMs.set(signal, nowMs)
    if (!repeated) child.kill(signal)
  }
  // To a daemon SIGHUP means reload; from a terminal that closes it means the end.
  const handlers = {
    SIGINT: () => forward('SIGINT'),
    SIGTERM: () => forward('SIGTERM'),
    SIGHUP: () => forward('SIGTERM'),
  }
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler)
  }
}
