import type { ChildProcess } from 'node:child_process'
import { get } from 'node:http'
import { get as getTls } from 'node:https'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Lab, readErrors } from './lab.ts'
import type { Launch, Site } from './site.ts'

const READY_WITHIN_MS = 60_000
const POLL_MS = 5

/** A contender that is ready. */
export interface Instance {
  readonly name: string
  readonly site: Site
  /** Of its first process; the others descend from it. */
  readonly pid: number
  /** From the start of the program to its first answer. */
  readonly readyMs: number
  stop(): Promise<void>
}

/** Starts a contender and waits until it forwards, with and without TLS. Rejects with what it printed where it does not. */
export async function startInstance(lab: Lab, name: string, site: Site, launch: Launch): Promise<Instance> {
  const startedMs = performance.now()
  const child = lab.start(site.dir, launch)
  let readyMs = 0
  try {
    await waitFor(lab, child, site.dir, () => answers(site.port, false))
    readyMs = performance.now() - startedMs
    await waitFor(lab, child, site.dir, () => answers(site.tlsPort, true))
  } catch (cause) {
    await lab.stop(child)
    throw new Error(`${name} did not start: ${(cause as Error).message}`, { cause })
  }
  return { name, site, pid: child.pid ?? 0, readyMs, stop: () => lab.stop(child) }
}

/** Waits until a program listens. */
export function waitForPort(lab: Lab, child: ChildProcess, dir: string, port: number): Promise<void> {
  return waitFor(lab, child, dir, () => listens(port))
}

async function waitFor(lab: Lab, child: ChildProcess, dir: string, isReady: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + READY_WITHIN_MS
  let failure: Error | undefined
  child.on('error', (error) => {
    failure = error
  })
  while (!(await isReady())) {
    if (failure !== undefined) throw failure
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended\n${readErrors(dir)}`)
    if (performance.now() > deadlineMs) throw new Error(`not ready after ${READY_WITHIN_MS} ms\n${readErrors(dir)}`)
    await delay(POLL_MS, undefined, { signal: lab.signal })
  }
}

function answers(port: number, tls: boolean): Promise<boolean> {
  const options = { host: '127.0.0.1', port, agent: false, rejectUnauthorized: false } as const
  return new Promise((resolve) => {
    const request = (tls ? getTls : get)(options, (response) => {
      response.resume()
      response.on('close', () => resolve(response.complete && response.statusCode === 200))
    })
    request.on('error', () => resolve(false))
  })
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
