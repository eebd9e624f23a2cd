import type { Socket } from 'node:net'
import type { Responder, ResponderWatcher, ResponseHead } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { Reason } from '../reason.ts'
import { renderFields, renderHead, renderResponseFields, renderStatusLine } from './response-fields.ts'
import type { TurnUser } from './turn-end.ts'

/** What is smaller is copied into one text with what goes out before and behind it. */
const SMALL_BYTES = 4_096
const MAX_GATHERED_LENGTH = 16_384

/** What all responses of a listener share. */
export interface ResponseClock {
  /** The Date field as a line. */
  readonly dateLine: string
  /** Calls `settle` at the end of this turn of the loop. */
  settleLater(user: TurnUser): void
}

/** The connection that a response goes out on. */
export interface ResponderHost {
  readonly socket: Socket
  readonly owner: ResponseClock
  /** Decides, as the head is sent, whether another request may follow; `isFramed`: the end of this response shows. */
  persistAfter(isFramed: boolean): boolean
  /** Bytes wait for the client: from now on it must not stall. */
  expectReading(): void
  /** The response left completely. */
  responded(): void
  /** Ends the connection at once; `reset` so that its end cannot be taken for the end of the response. */
  cut(reason: Reason, reset: boolean): void
}

/**
 * Writes a response. Nothing here throws because of what a backend sent: fields that cannot stand in a message are left out,
 * and a response that cannot be framed, or that is not as long as it said, ends with a cut connection.
 */
export class Http1Responder implements Responder, TurnUser {
  readonly #host: ResponderHost
  readonly #isOld: boolean
  readonly #isHead: boolean
  #watcher: ResponderWatcher | undefined
  #phase: 'waiting' | 'sending' | 'ended' | 'cut' = 'waiting'
  #headSent = false
  #isBodyless = false
  #isChunked = false
  /** -1: none was announced. */
  #lengthBytes = -1
  #writtenBytes = 0
  /** Goes out with what comes next, or at the end of the turn. */
  #gathered = ''
  #isSettling = false
  /** The client takes no more for now. */
  #isFull = false
  #aborted = false
  #goneFor: Reason | undefined

  /** `isOld`: to an HTTP/1.0 client; `isHead`: to HEAD. */
  constructor(host: ResponderHost, isOld: boolean, isHead: boolean) {
    this.#host = host
    this.#isOld = isOld
    this.#isHead = isHead
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
    this.#host.socket.write(renderHead(status, INFORMATION[status] ?? '', headers), 'latin1')
  }

  /** A status outside of 200–599 and an ambiguous Content-Length cut the connection. */
  head({ status, statusText, headers }: ResponseHead): void {
    if (this.#phase !== 'waiting') return
    const fields = status >= 200 && status <= 599 ? renderResponseFields(headers, status === 204) : undefined
    if (fields === undefined) {
      this.#cut('bad_response')
      return
    }
    const { lengthBytes } = fields
    const isBodyless = status === 204 || status === 304 || this.#isHead
    const isFramed = isBodyless || lengthBytes !== -1 || !this.#isOld
    const isChunked = isFramed && !isBodyless && lengthBytes === -1
    let text = renderStatusLine(status, statusText) + fields.text
    if (!fields.hasDate) text += this.#host.owner.dateLine
    if (isChunked) text += `${fields.trailerText}Transfer-Encoding: chunked\r\n`
    // HTTP/1.1 connections persist unless they say otherwise.
    if (!this.#host.persistAfter(isFramed)) text += 'Connection: close\r\n'
    else if (this.#isOld) text += 'Connection: keep-alive\r\n'
    this.#gathered = `${text}\r\n`
    this.#lengthBytes = lengthBytes
    this.#isBodyless = isBodyless
    this.#isChunked = isChunked
    this.#phase = 'sending'
    this.#headSent = true
    this.#settleLater()
  }

  write(chunk: Buffer): boolean {
    // An empty chunk would be the last one.
    if (this.#phase !== 'sending' || this.#isBodyless || chunk.length === 0) return true
    this.#writtenBytes += chunk.length
    if (this.#lengthBytes !== -1 && this.#writtenBytes > this.#lengthBytes) {
      this.#cut('bad_response')
      return true
    }
    if (chunk.length <= SMALL_BYTES && this.#gathered.length <= MAX_GATHERED_LENGTH) this.#gather(chunk)
    else this.#send(chunk)
    return !this.#isFull
  }

  end(trailers: HeaderList): void {
    if (this.#phase !== 'sending') return
    if (this.#lengthBytes > this.#writtenBytes && !this.#isBodyless) {
      this.#cut('bad_response')
      return
    }
    this.#phase = 'ended'
    if (this.#isChunked) this.#gathered += `0\r\n${renderFields(trailers)}\r\n`
    this.#flush()
    this.#settleLater()
  }

  /** Whether the memory of all chunks so far may be used again. */
  hasConsumed(): boolean {
    return this.#host.socket.writableLength === 0
  }

  /** The watcher is not told of its own abort. */
  abort(): void {
    if (this.#goneFor !== undefined) return
    this.#aborted = true
    this.#cut('client_gone')
  }

  settle(): void {
    this.#isSettling = false
    this.#flush()
    if (this.#phase !== 'ended') return
    const { socket } = this.#host
    if (socket.writableLength === 0) this.#finish()
    else {
      this.#host.expectReading()
      socket.write('', 'latin1', () => this.#finish())
    }
  }

  drained(): void {
    if (!this.#isFull) return
    this.#isFull = false
    if (this.#phase === 'sending') this.#watcher?.drained()
  }

  /** The connection closed before `responded`. */
  closed(reason: Reason): void {
    this.#phase = 'cut'
    if (this.#aborted || this.#goneFor !== undefined) return
    this.#goneFor = reason
    this.#watcher?.gone(reason)
  }

  #finish(): void {
    if (this.#phase !== 'ended' || this.#host.socket.destroyed) return
    this.#phase = 'cut'
    this.#watcher?.finished()
    this.#host.responded()
  }

  #gather(chunk: Buffer): void {
    const text = chunk.toString('latin1')
    this.#gathered += this.#isChunked ? `${chunk.length.toString(16)}\r\n${text}\r\n` : text
    this.#settleLater()
  }

  #send(chunk: Buffer): void {
    const { socket } = this.#host
    const before = this.#isChunked ? `${this.#gathered}${chunk.length.toString(16)}\r\n` : this.#gathered
    this.#gathered = ''
    if (before === '') socket.write(chunk)
    else {
      socket.cork()
      socket.write(before, 'latin1')
      socket.write(chunk)
      if (this.#isChunked) socket.write('\r\n', 'latin1')
      socket.uncork()
    }
    this.#noteRoom()
  }

  #flush(): void {
    if (this.#gathered === '' || this.#phase === 'cut') return
    this.#host.socket.write(this.#gathered, 'latin1')
    this.#gathered = ''
    this.#noteRoom()
  }

  /** What `write` answers counts bytes that the kernel takes at once as waiting. */
  #noteRoom(): void {
    const { writableLength, writableHighWaterMark } = this.#host.socket
    if (writableLength < writableHighWaterMark) return
    this.#isFull = true
    this.#host.expectReading()
  }

  #settleLater(): void {
    if (this.#isSettling) return
    this.#isSettling = true
    this.#host.owner.settleLater(this)
  }

  #cut(reason: Reason): void {
    this.#flush()
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
