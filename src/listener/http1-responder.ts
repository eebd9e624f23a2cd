import type { ServerResponse } from 'node:http'
import type { Responder, ResponderWatcher, ResponseHead } from '../exchange.ts'
import { type HeaderList, withoutHeader } from '../header-list.ts'
import type { Reason } from '../reason.ts'
import { keepSoundFields, renderHead, soundStatusText, takeResponseFields } from './response-fields.ts'

const RESPONDER = Symbol('responder of a response')

// The listeners below are shared by all responses and find their responder through the response.
interface AnsweringResponse extends ServerResponse {
  [RESPONDER]?: Http1Responder
}

/** The connection that a response goes out on. */
export interface ResponderHost {
  /** Decides, as the head is sent, whether another request may follow; `isFramed`: the end of this response shows. */
  persistAfter(response: ServerResponse, isFramed: boolean): boolean
  /** Bytes wait for the client: from now on it must not stall. */
  expectReading(): void
  /** The response left completely. */
  responded(): void
  /** Ends the connection at once; `reset` so that its end cannot be taken for the end of the response. */
  cut(reason: Reason, reset: boolean): void
}

/**
 * Answers over a ServerResponse. Nothing here throws because of what a backend sent: fields that cannot stand in a message
 * are left out, and a response that cannot be framed, or that is not as long as it said, ends with a cut connection.
 */
export class Http1Responder implements Responder {
  readonly #host: ResponderHost
  readonly #response: AnsweringResponse
  readonly #isOld: boolean
  #watcher: ResponderWatcher | undefined
  #phase: 'waiting' | 'sending' | 'ended' | 'cut' = 'waiting'
  #headSent = false
  #isBodyless = false
  /** -1: none was announced. */
  #lengthBytes = -1
  #writtenBytes = 0
  #watchesDrain = false
  #aborted = false
  #goneFor: Reason | undefined

  constructor(host: ResponderHost, response: ServerResponse, isOld: boolean) {
    this.#host = host
    this.#response = response
    this.#isOld = isOld
    this.#response[RESPONDER] = this
    response.on('finish', onFinish)
  }

  get headSent(): boolean {
    return this.#headSent
  }

  watch(watcher: ResponderWatcher): void {
    this.#watcher = watcher
    const reason = this.#goneFor
    if (reason !== undefined) process.nextTick(() => watcher.gone(reason))
  }

  inform(status: number, headers: HeaderList): void {
    if (this.#phase !== 'waiting' || this.#isOld || status < 102 || status > 199) return
    this.#response.socket?.write(renderHead(status, INFORMATION[status] ?? '', headers), 'latin1')
  }

  /** A status outside of 200–599 and an ambiguous Content-Length cut the connection. */
  head(head: ResponseHead): void {
    if (this.#phase !== 'waiting') return
    const { status } = head
    const taken = status >= 200 && status <= 599 ? takeResponseFields(head.headers) : undefined
    if (taken === undefined) {
      this.#cut('bad_response')
      return
    }
    this.#isBodyless = status === 204 || status === 304 || this.#response.req.method === 'HEAD'
    this.#lengthBytes = taken.lengthBytes
    const isFramed = this.#isBodyless || taken.lengthBytes !== -1 || !this.#isOld
    const isChunked = isFramed && !this.#isBodyless && taken.lengthBytes === -1
    let { fields } = taken
    // RFC 9110 §8.6: never with 204.
    if (status === 204 && taken.lengthBytes !== -1) fields = withoutHeader(fields, 'content-length')
    if (taken.hasTrailerField && !isChunked) fields = withoutHeader(fields, 'trailer')
    if (!this.#host.persistAfter(this.#response, isFramed)) fields.push('Connection', 'close')
    else if (this.#isOld) fields.push('Connection', 'keep-alive')
    // HTTP/1.1 connections persist unless they say otherwise: Node would say it in each response.
    else this.#response.removeHeader('connection')
    this.#writeHead(status, head.statusText, fields)
  }

  write(chunk: Buffer): boolean {
    if (this.#phase !== 'sending' || this.#isBodyless) return true
    this.#writtenBytes += chunk.length
    if (this.#lengthBytes !== -1 && this.#writtenBytes > this.#lengthBytes) {
      this.#cut('bad_response')
      return true
    }
    if (this.#response.write(chunk)) return true
    if (!this.#watchesDrain) {
      this.#watchesDrain = true
      this.#response.on('drain', onDrain)
    }
    this.#host.expectReading()
    return false
  }

  end(trailers: HeaderList): void {
    if (this.#phase !== 'sending') return
    if (this.#lengthBytes > this.#writtenBytes && !this.#isBodyless) {
      this.#cut('bad_response')
      return
    }
    this.#phase = 'ended'
    if (trailers.length > 0 && this.#response.chunkedEncoding) this.#response.addTrailers(toPairs(trailers))
    this.#response.end()
    if (this.#response.socket?.writableLength) this.#host.expectReading()
  }

  /** The watcher is not told of its own abort. */
  abort(): void {
    if (this.#goneFor !== undefined) return
    this.#aborted = true
    this.#cut('client_gone')
  }

  drained(): void {
    if (this.#phase === 'sending') this.#watcher?.drained()
  }

  finished(): void {
    if (this.#phase !== 'ended') return
    this.#watcher?.finished()
    this.#host.responded()
  }

  /** The connection closed before `finished`. */
  closed(reason: Reason): void {
    this.#phase = 'cut'
    if (this.#aborted || this.#goneFor !== undefined) return
    this.#goneFor = reason
    this.#watcher?.gone(reason)
  }

  #writeHead(status: number, statusText: string, fields: string[]): void {
    const response = this.#response
    try {
      response.writeHead(status, statusText, fields)
    } catch {
      // Node checks each field as it writes it; only a head that fails that is looked through a second time.
      response.writeHead(status, soundStatusText(statusText), keepSoundFields(fields))
    }
    this.#phase = 'sending'
    this.#headSent = true
  }

  #cut(reason: Reason): void {
    const isCloseDelimited = this.#headSent && this.#isOld && this.#lengthBytes === -1 && !this.#isBodyless
    this.#phase = 'cut'
    this.#host.cut(reason, isCloseDelimited)
  }
}

const INFORMATION: Readonly<Record<number, string>> = {
  102: 'Processing',
  103: 'Early Hints',
  104: 'Upload Resumption Supported',
}

function toPairs(trailers: HeaderList): [string, string][] {
  const sound = keepSoundFields(trailers)
  const pairs: [string, string][] = []
  for (let i = 0; i < sound.length; i += 2) pairs.push([sound[i] as string, sound[i + 1] as string])
  return pairs
}

function onFinish(this: AnsweringResponse): void {
  this[RESPONDER]?.finished()
}

function onDrain(this: AnsweringResponse): void {
  this[RESPONDER]?.drained()
}
