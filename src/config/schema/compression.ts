import { z } from 'zod'
import { flag, refuse, scalar, size, wholeNumber, word } from './scalars.ts'
import { filledList, map } from './section.ts'
import { swap } from './traits.ts'

const EITHER = 'on, off, or a map of settings'
const MEDIA_TYPE = 'a media type such as application/json, a kind such as text/*, or a suffix such as +json'

/** RFC 6838 §4.2. */
const PATTERN = /^(?:[\w!#$&^.+-]+\/(?:\*|[\w!#$&^.+-]+)|\+[\w!#$&^.-]+)$/

/** What is worth compressing: the rest is compressed already, or rarely asked for. */
const USUAL_TYPES = [
  'text/*',
  'application/json',
  'application/javascript',
  'application/x-javascript',
  'application/xml',
  'application/x-ndjson',
  'application/wasm',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/x-icon',
  '+json',
  '+xml',
]

const algorithm = word({ br: 'br', gzip: 'gzip', zstd: 'zstd' })

const settingsSchema = map({
  algorithms: filledList(algorithm, ['br', 'gzip', 'zstd']).meta(
    swap('list of br, gzip, zstd', 'What is offered; of those that a client likes equally the first one is taken.'),
  ),
  types: filledList(mediaType(), USUAL_TYPES).meta(
    swap('list of media types', 'What is compressed: types, kinds such as text/*, suffixes such as +json.'),
  ),
  min_bytes: size('0')
    .prefault('1kb')
    .meta(swap('size', 'Shorter responses go as they are, where their length is told.')),
  level: wholeNumber(1, 9)
    .optional()
    .meta(swap('number', 'From 1, the fastest, to 9, the smallest.', 'br 4, gzip 6, zstd 3')),
})

export const compressionSchema = z
  .union([flag(EITHER), settingsSchema], { error: EITHER })
  .prefault('off')
  .meta(swap('on, off or map', 'Compress responses for clients that accept it.'))

/** What `on` stands for. */
export const usualCompression = settingsSchema.parse({})

export type CompressionSettings = z.output<typeof compressionSchema>

/** Lower case. */
function mediaType() {
  return scalar(z.string({ error: MEDIA_TYPE }), (value) => {
    const type = value.trim().toLowerCase()
    return type === '*/*' || PATTERN.test(type) ? type : refuse(MEDIA_TYPE)
  })
}
