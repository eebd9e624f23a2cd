import { REASONS, type Reason } from '../reason.ts'
import { BUCKET_COUNT } from './histogram.ts'

/** By the first digit of the status; `none` where there was no response. */
export const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const

export const REASON_LIST = Object.keys(REASONS) as Reason[]

export const REASON_INDEX = Object.fromEntries(REASON_LIST.map((reason, index) => [reason, index])) as Readonly<
  Record<Reason, number>
>

const REASON_COUNT = REASON_LIST.length
const AFTER_REASONS = STATUS_CLASSES.length + REASON_COUNT

/** Where each count of a route stands in its array. */
export const ROUTE_COUNT = {
  /** One for each status class. */
  status: 0,
  /** One for each reason. */
  reason: STATUS_CLASSES.length,
  /** Answered 5xx, or cut by a fault of the backend. */
  errors: AFTER_REASONS,
  tunnels: AFTER_REASONS + 1,
  /** Histograms. */
  total: AFTER_REASONS + 2,
  connect: AFTER_REASONS + 2 + BUCKET_COUNT,
  firstByte: AFTER_REASONS + 2 + 2 * BUCKET_COUNT,
  length: AFTER_REASONS + 2 + 3 * BUCKET_COUNT,
} as const

/** Where each sum of a route stands in its array; durations are milliseconds. */
export const ROUTE_SUM = { bytesIn: 0, bytesOut: 1, total: 2, connect: 3, firstByte: 4, length: 5 } as const

/** Where each count of a backend stands in its array. */
export const BACKEND_COUNT = { requests: 0, reason: 1, length: 1 + REASON_COUNT } as const
