import { connect } from 'node:net'
import type { ControlRequest, ControlResponse } from '../ipc/control.ts'
import { EXIT } from './exit-codes.ts'
import { findInstance } from './instance.ts'
import { CommandError } from './outcome.ts'
import type { RunDir } from './run-dir.ts'

const CONNECT_TIMEOUT_MS = 5_000

export interface ControlTarget {
  readonly runDir: RunDir
  /** Longest wait for the answer; 0: as long as the other side lives. */
  readonly timeoutMs: number
}

/** Nobody answers on the control socket. */
export class NotRunningError extends CommandError {
  constructor(cause?: unknown) {
    super('pyserve-ts is not running for this configuration', {
      exitCode: EXIT.notRunning,
      fields: { running: false },
      cause,
    })
    this.name = 'NotRunningError'
  }
}

/** The process is there, and says nothing. */
export class NotAnsweringError extends CommandError {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'NotAnsweringError'
  }
}

/**
 * Asks the primary. Throws NotRunningError where there is none, NotAnsweringError where it is there and says nothing,
 * CommandError where it refuses or ends before it has answered.
 */
export async function askPrimary<T>(target: ControlTarget, request: ControlRequest): Promise<T> {
  const line = await exchangeLine(target, JSON.stringify(request))
  const response = parseResponse<T>(line)
  if (!response.ok) throw new CommandError(response.error)
  return response.result
}

function exchangeLine({ runDir, timeoutMs }: ControlTarget, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(runDir.socket)
    let answer = ''
    let timer = setTimeout(() => fail(silent(CONNECT_TIMEOUT_MS)), CONNECT_TIMEOUT_MS)
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
    }
    const fail = (error: Error) => {
      finish()
      reject(error)
    }
    socket.setEncoding('utf8')
    socket.on('connect', () => {
      clearTimeout(timer)
      if (timeoutMs > 0) timer = setTimeout(() => fail(silent(timeoutMs)), timeoutMs)
      socket.write(`${line}\n`)
    })
    socket.on('data', (chunk: string) => {
      answer += chunk
      const end = chunk.includes('\n') ? answer.indexOf('\n') : -1
      if (end === -1) return
      finish()
      resolve(answer.slice(0, end))
    })
    socket.on('error', (error: NodeJS.ErrnoException) => fail(describeFailure(runDir, error)))
    socket.on('close', () => fail(new CommandError('pyserve-ts ended before it answered')))
  })
}

function describeFailure(runDir: RunDir, error: NodeJS.ErrnoException): Error {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    const instance = findInstance(runDir)
    if (!instance) return new NotRunningError(error)
    return new NotAnsweringError(`pid ${instance.pid} runs for this configuration but does not answer`, error)
  }
  return new CommandError(`the control socket ${runDir.socket} failed: ${error.message}`, { cause: error })
}

function silent(timeoutMs: number): NotAnsweringError {
  return new NotAnsweringError(`pyserve-ts did not answer within ${timeoutMs / 1000} s`)
}

function parseResponse<T>(line: string): ControlResponse<T> {
  try {
    return JSON.parse(line) as ControlResponse<T>
  } catch (error) {
    throw new CommandError('pyserve-ts sent an answer that is no JSON', { cause: error })
  }
}
