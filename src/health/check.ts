import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { HealthCheckConfig } from '../config/health-config.ts'
import { type CheckResult, type Conclude, describeError, failed } from './check-result.ts'
import { checkByRequest } from './http-check.ts'

/** Where a check goes, and what it is about. */
export interface CheckPlace {
  /** A name or an address. */
  readonly host: string
  readonly port: number
  /** What the backend is called in the Host field. */
  readonly hostField: string
  /** Of the backend's TLS connections; undefined where it has none. Throws where a certificate or key cannot be used. */
  readonly tlsOptions: (() => ConnectionOptions) | undefined
}

/** Checks once. Never rejects; over within the timeout, with nothing left open. */
export function check(place: CheckPlace, config: HealthCheckConfig): Promise<CheckResult> {
  const { promise, resolve } = Promise.withResolvers<CheckResult>()
  let abort = () => {}
  const conclude: Conclude = (result) => {
    clearTimeout(timer)
    resolve(result)
    abort()
  }
  const timer = setTimeout(() => conclude(failed(`no answer within ${config.timeoutMs} ms`)), config.timeoutMs)
  try {
    abort =
      config.kind === 'http' ? checkByRequest(place, config, conclude) : checkByConnection(place, config, conclude)
  } catch (error) {
    conclude(failed(describeError(error as Error)))
  }
  return promise
}

function checkByConnection(
  { host, port, tlsOptions }: CheckPlace,
  { kind }: HealthCheckConfig,
  conclude: Conclude,
): () => void {
  const socket: Socket = kind === 'tls' ? connectTls({ ...tlsOptions?.(), host, port }) : connectTcp({ host, port })
  socket.on('error', (error) => conclude(failed(describeError(error))))
  socket.on('close', () => conclude(failed('the connection was closed')))
  socket.once(kind === 'tls' ? 'secureConnect' : 'connect', () => conclude({ ok: true }))
  return () => socket.destroy()
}
