import { z } from 'zod'
import { fieldValue, host } from './names.ts'
import { duration, filledText, flag, percentage, refuse, scalar, wholeNumber, word } from './scalars.ts'
import { dictionary, map } from './section.ts'
import { swap } from './traits.ts'
import { requestPath } from './url-path.ts'

const STATUS = 'a status such as 200, a range such as 200-399, or a list of them'
const MOST_IN_A_ROW = 100
const MOST_FAILURES = 1_000

const healthCheckSchema = map({
  type: word({ http: 'http', tcp: 'tcp', tls: 'tls' })
    .prefault('http')
    .meta(swap('http, tcp or tls', 'What is tried: a request (over TLS where the backend has it), or a connection.')),
  path: requestPath().prefault('/').meta(swap('path', 'What is asked for.')),
  host: host()
    .optional()
    .meta(swap('host', 'The Host that is asked for.', "the backend's")),
  headers: dictionary(fieldValue()).meta(swap('map of names to values', 'Further fields of the request.')),
  status: z
    .union([statusRange(), z.array(statusRange()).min(1, { error: STATUS })], { error: STATUS })
    .prefault('200-399')
    .meta(swap('status, range or list', 'Statuses of a healthy backend.')),
  body: filledText().optional().meta(swap('text', 'What the body of the answer has to contain, in its first 64 KiB.')),
  interval: duration({ mayBeZero: false }).prefault('5s').meta(swap('duration', 'From one check to the next.')),
  unhealthy_interval: duration({ mayBeZero: false })
    .optional()
    .meta(swap('duration', 'The same while the backend is down.', 'interval')),
  timeout: duration({ mayBeZero: false })
    .optional()
    .meta(swap('duration', 'For one check, from the connection to the end of the answer.', '2s, at most interval')),
  healthy: wholeNumber(1, MOST_IN_A_ROW)
    .prefault(2)
    .meta(swap('number', 'Good checks in a row after which a backend that is down is up.')),
  unhealthy: wholeNumber(1, MOST_IN_A_ROW)
    .prefault(3)
    .meta(swap('number', 'Failed checks in a row after which a backend is down.')),
  port: wholeNumber(1, 65_535)
    .optional()
    .meta(swap('port', 'Where it is checked.', "the backend's port")),
})

const passiveHealthSchema = map({
  failures: wholeNumber(1, MOST_FAILURES)
    .prefault(5)
    .meta(swap('number', 'So many failures within the window eject a backend, or open its circuit.')),
  window: duration({ mayBeZero: false }).prefault('10s').meta(swap('duration', 'In which failures are counted.')),
  eject: duration({ mayBeZero: false })
    .prefault('30s')
    .meta(swap('duration', 'For how long at first; longer each time that it happens again, up to 10 times.')),
  max_ejected: percentage()
    .prefault('50%')
    .meta(swap('percentage', 'Share of the backends that may be ejected at a time.')),
})

/** What a group of backends, or a route with backends of its own, says about their health. */
export const healthShape = {
  health_check: healthCheckSchema.optional().meta(swap('map', 'Ask each backend whether it is well.')),
  passive_health: z
    .union([flag(), passiveHealthSchema], { error: 'true, false, or a map of settings' })
    .optional()
    .meta(
      swap('boolean or map', 'Leave out backends that fail requests.', 'true with several backends or a health_check'),
    ),
}

export type HealthCheckSettings = z.output<typeof healthCheckSchema>
export type PassiveHealthSettings = z.output<typeof passiveHealthSchema> | boolean

/** `200`, or `200-399`. */
function statusRange() {
  return scalar(z.union([z.string(), z.number()], { error: STATUS }), (value) => {
    const [, from = '', to = from] = /^([1-9]\d\d)(?: ?- ?([1-9]\d\d))?$/.exec(String(value).trim()) ?? []
    if (from === '' || Number(from) < 200 || Number(to) > 599) return refuse(`${STATUS}, from 200 to 599`)
    return Number(from) > Number(to) ? refuse('a range from a smaller status to a larger one') : `${from}-${to}`
  })
}
