import type { RequestHead } from '../../src/exchange.ts'
import { NO_HEADERS } from '../../src/header-list.ts'
import type { AccessRecord } from '../../src/log/access-log.ts'
import { WorkerMetrics } from '../../src/metrics/worker-metrics.ts'
import type { Arrival } from '../../src/proxy/arrival.ts'
import { ExchangeLog } from '../../src/proxy/exchange-log.ts'
import { type RecordedResponder, recordResponder } from '../helpers/responder.ts'

const IDENTITY = {
  address: '127.0.0.1',
  trustedPeer: false,
  forwardedFor: '127.0.0.1',
  proto: 'http',
  host: 'h',
  port: '80',
  prefix: '',
  requestId: undefined,
} as const

export interface StagedArrival {
  readonly arrival: Arrival
  readonly responder: RecordedResponder
  readonly records: AccessRecord[]
  readonly metrics: WorkerMetrics
}

/** A request for `/api` by a client without a connection. */
export function arrive(head: Partial<RequestHead> = {}, body?: Arrival['body']): StagedArrival {
  const records: AccessRecord[] = []
  const metrics = new WorkerMetrics()
  const responder = recordResponder()
  const whole: RequestHead = {
    method: 'GET',
    target: '/api',
    authority: 'h',
    headers: NO_HEADERS,
    httpVersion: '1.1',
    ...head,
  }
  const log = new ExchangeLog(whole, '127.0.0.1', 'id', { write: (record) => records.push(record) }, metrics)
  const arrival: Arrival = {
    head: whole,
    identity: IDENTITY,
    log,
    upgrade: undefined,
    errorPages: undefined,
    responder,
    body,
    requestFields: NO_HEADERS,
    responseFields: NO_HEADERS,
  }
  return { arrival, responder, records, metrics }
}
