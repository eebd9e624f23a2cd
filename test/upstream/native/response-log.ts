import type { ResponseHead } from '../../../src/exchange.ts'
import type { HeaderList } from '../../../src/header-list.ts'
import { MalformedMessage } from '../../../src/http1/malformed-message.ts'
import { ResponseReader } from '../../../src/upstream/native/response-reader.ts'

/** What a reader made of some bytes. */
export interface ResponseLog {
  readonly interims: readonly ResponseHead[]
  readonly head: ResponseHead | undefined
  readonly body: string
  readonly trailers: HeaderList
  readonly end: 'over' | 'open' | 'malformed'
  /** Bytes behind the response. */
  readonly restBytes: number
  readonly keptMs: number
}

/** Reads the bytes in pieces that end at `cuts`, then, where `closes`, the end of the connection. */
export function readResponse(
  text: string,
  { method = 'GET', cuts = [] as readonly number[], closes = false } = {},
): ResponseLog {
  const interims: ResponseHead[] = []
  const body: Buffer[] = []
  let head: ResponseHead | undefined
  const reader = new ResponseReader()
  const receiver = {
    interim: (interim: ResponseHead) => void interims.push(interim),
    head: (received: ResponseHead) => {
      head = received
    },
    data: (bytes: Buffer, start: number, end: number) => void body.push(Buffer.from(bytes.subarray(start, end))),
  }
  reader.begin(receiver, method)
  const whole = Buffer.from(text, 'latin1')
  let read = 0
  let end: ResponseLog['end'] = 'open'
  try {
    for (const cut of [...cuts, whole.length]) {
      if (reader.isOver || cut <= read) continue
      // The reader may move bytes about, and none that it was not given.
      const piece = Buffer.from(`<${text.slice(read, cut)}>`, 'latin1')
      read += reader.read(piece, 1, piece.length - 1) - 1
    }
    if (reader.isOver || (closes && reader.close())) end = 'over'
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error
    end = 'malformed'
  }
  return {
    interims,
    head,
    body: Buffer.concat(body).toString('latin1'),
    trailers: reader.trailers,
    end,
    restBytes: end === 'over' ? whole.length - read : 0,
    keptMs: end === 'over' ? reader.keptMs : 0,
  }
}
