import { z } from 'zod'
import { method } from './names.ts'
import { duration, percentage, size, wholeNumber } from './scalars.ts'
import { filledList, section } from './section.ts'
import { swap } from './traits.ts'

const TRIGGER = 'connect, reset, timeout, or a status from 400 to 599'

const trigger = z.union([z.enum(['connect', 'reset', 'timeout']), z.int().min(400).max(599)], { error: TRIGGER })

export const retriesSchema = section({
  attempts: wholeNumber(1, 10)
    .prefault(2)
    .meta(swap('number', 'Most tries of one request, the first included, each with another backend; 1 is no retry.')),
  on: filledList(trigger, ['connect', 'reset', 502, 503, 504]).meta(
    swap('list', 'What is tried again: connect, reset, timeout, and statuses.'),
  ),
  methods: filledList(method(), ['idempotent']).meta(
    swap('list of methods', 'Methods that may be sent twice; idempotent is all that RFC 9110 calls so.'),
  ),
  budget: percentage().prefault('20%').meta(swap('percentage', 'Most retries, as a share of the requests.')),
  buffer: size('0', '16mb')
    .prefault('64kb')
    .meta(swap('size', 'Longest body that is kept for another try; only of methods that may be sent twice.')),
  backoff: duration({ mayBeZero: true })
    .prefault('25ms')
    .meta(swap('duration', 'Longest wait before the second try; it doubles for each further one.')),
})

export type RetriesSettings = z.output<typeof retriesSchema>
