import type { RequestHead } from '../exchange.ts'
import { BodyReader } from '../http1/body-reader.ts'
import { FieldBlock } from '../http1/field-block.ts'
import { MalformedMessage, OversizedBlock } from '../http1/malformed-message.ts'
import { isPlainlyChunked } from '../http1/transfer-coding.ts'
import { REASONS } from '../reason.ts'
import { checkRequestHead, type RawRequestHead, type RequestFraming, type UnsoundRequest } from './request-framing.ts'
import { parseRequestHead } from './request-head.ts'

const EMPTY_LINE = '\r\n'

/** A request whose head came in full and means one thing. */
export interface SoundRequest {
  readonly kind: 'sound'
  readonly head: RequestHead
  readonly framing: RequestFraming
}

/** A head that is answered by the listener itself; `head` as far as it could be read. */
export interface RefusedRequest {
  readonly kind: 'unsound'
  readonly head: RawRequestHead | undefined
  readonly problem: UnsoundRequest
}

export interface ReadLimits {
  /** Of a head, and of trailers. */
  readonly headerBytes: number
  readonly headers: number
}

/** Reads one request after another off a connection; however the bytes are split over reads, the requests are the same. */
export class RequestReader {
  /** Of the request that was read last. */
  readonly body = new BodyReader()
  /** Behind the bytes that `readHead` took. */
  next = 0
  readonly #block = new FieldBlock()

  /** A part of a head came. */
  get hasBegun(): boolean {
    return this.#block.isPartial
  }

  /**
   * Reads on from `start`, up to the end of a head at most. Undefined where there is none yet: all bytes were taken, or an
   * empty line before it, which is skipped (RFC 9112 §2.2).
   */
  readHead(bytes: Buffer, start: number, end: number, limits: ReadLimits): SoundRequest | RefusedRequest | undefined {
    this.next = end
    let head: RawRequestHead | undefined
    try {
      const next = this.#block.read(bytes, start, end, limits.headerBytes)
      if (next === -1) return undefined
      this.next = next
      const { text } = this.#block
      this.#block.reset()
      if (text === EMPTY_LINE) return undefined
      head = parseRequestHead(text)
      return this.#begin(text, head, checkRequestHead(head, limits.headers))
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      return { kind: 'unsound', head, problem: describeMalformed(error) }
    }
  }

  #begin(text: string, raw: RawRequestHead, framing: RequestFraming | UnsoundRequest): SoundRequest | RefusedRequest {
    if (framing.kind === 'unsound') return { kind: 'unsound', head: raw, problem: framing }
    const { lengthBytes } = framing
    if (lengthBytes !== undefined) this.body.beginSized(lengthBytes)
    else if (framing.hasBody) {
      if (!isPlainlyChunked(text)) throw new MalformedMessage('Transfer-Encoding with more than spaces around it')
      this.body.beginChunked()
    }
    const { method, target, headers } = raw
    const httpVersion = raw.httpVersion === '1.0' ? '1.0' : '1.1'
    return { kind: 'sound', head: { method, target, authority: framing.authority, headers, httpVersion }, framing }
  }
}

function describeMalformed(error: MalformedMessage): UnsoundRequest {
  const reason = error instanceof OversizedBlock ? 'header_too_large' : 'bad_request'
  return { kind: 'unsound', reason, status: REASONS[reason].status, detail: error.message }
}
