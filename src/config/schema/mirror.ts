import type { z } from 'zod'
import { filledText, percentage, size } from './scalars.ts'
import { map } from './section.ts'
import { swap } from './traits.ts'

export const mirrorSchema = map({
  upstream: filledText().meta(swap('name', 'A group of server.upstreams that is sent copies of requests.')),
  share: percentage().prefault('100%').meta(swap('percentage', 'Of how many requests.')),
  buffer: size('0', '16mb')
    .prefault('256kb')
    .meta(swap('size', 'What of a body may wait for the other group; a copy that falls further behind is given up.')),
})

export type MirrorSettings = z.output<typeof mirrorSchema>
