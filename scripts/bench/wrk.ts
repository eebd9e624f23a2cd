import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from './lab.ts'
import type { WrkLoad } from './load.ts'
import type { LoadResult, Window } from './window.ts'

const MARK = 'bench '

/** What the script below prints. Times in microseconds. */
interface WrkSummary {
  readonly requests: number
  readonly duration: number
  readonly bytes: number
  readonly p50: number
  readonly p99: number
  readonly errors: Readonly<Record<string, number>>
}

export interface WrkOptions {
  readonly url: string
  readonly connections: number
  /** Threads of wrk; 1 by default. */
  readonly threads?: number
  /** May have a fraction. */
  readonly seconds: number
  /** Lua; `done` is added. */
  readonly script: string
}

/** Runs wrk once. Rejects where it prints no summary. */
export async function runWrk(lab: Lab, options: WrkOptions, window: Window): Promise<LoadResult> {
  const { url, connections, threads = 1, seconds, script } = options
  const file = join(lab.dir, 'load.lua')
  writeFileSync(file, `${script}\n${DONE}`)
  const args = [`-t${threads}`, `-c${connections}`, `-d${Math.ceil(seconds)}s`, '--timeout', '10s', '-s', file, url]
  window.open()
  const { stdout, stderr } = await lab.run(
    'wrk',
    args,
    Number.isInteger(seconds) ? {} : { interruptAfterMs: seconds * 1000 },
  )
  window.close()
  const result = parseWrk(stdout)
  if (result === undefined) throw new Error(`wrk ${url} failed: ${(stderr || stdout).trim().slice(-500)}`)
  return result
}

/** Undefined where the output has no summary. */
export function parseWrk(output: string): LoadResult | undefined {
  const line = output.split('\n').find((text) => text.startsWith(MARK))
  if (line === undefined) return undefined
  const { requests, duration, bytes, p50, p99, errors } = JSON.parse(line.slice(MARK.length)) as WrkSummary
  return {
    requests,
    bytes,
    seconds: duration / 1_000_000,
    p50Micros: p50,
    p99Micros: p99,
    errors: Object.fromEntries(Object.entries(errors).filter(([, count]) => count > 0)),
  }
}

/** Lua for one of the fixed loads. */
export function wrkScript({ postBytes, close }: Pick<WrkLoad, 'postBytes' | 'close'>): string {
  const lines: string[] = []
  if (postBytes !== undefined) lines.push('wrk.method = "POST"', `wrk.body = string.rep("x", ${postBytes})`)
  if (close) lines.push('wrk.headers["Connection"] = "close"')
  return lines.join('\n')
}

/** Lua that asks for `/route-0/`, … in an order in which none is near the one before. */
export function routesScript(routes: number): string {
  return `
local requests = {}
local at = 0
function init()
  for i = 0, ${routes - 1} do requests[i] = wrk.format("GET", "/route-" .. i .. "/") end
end
function request()
  at = (at + 7919) % ${routes}
  return requests[at]
end`
}

/** Lua that makes each connection wait a random time before each request, `meanMs` on average. */
export function pausesScript(meanMs: number): string {
  return `
local seed = os.time()
function setup(thread) thread:set("seed", seed) end
function init() math.randomseed(seed) end
function delay() return math.floor(math.random() * ${(2 * meanMs + 1).toFixed(3)}) end`
}

const DONE = `
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\n${MARK}{"requests":%d,"duration":%d,"bytes":%d,"p50":%d,"p99":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.status, e.timeout))
end
`
