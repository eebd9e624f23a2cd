import { randomFillSync } from 'node:crypto'

const FIN = 0x80
const MASK = 0x80
const CONTROL = 0x08
const OPCODE_CLOSE = 0x08
const OPCODE_HIGHEST_DATA = 0x02
const OPCODE_HIGHEST_CONTROL = 0x0a
const MASK_KEY_BYTES = 4
const LENGTH_16 = 126
const LENGTH_64 = 127

/** Follows the WebSocket frames of one direction, without a copy and without a look at payloads. */
export interface FrameTracker {
  /** 'lost' for good after a header that RFC 6455 §5.2 does not know: no boundary can be told any more. */
  readonly position: 'boundary' | 'inside' | 'lost'
  /** A whole Close frame went by: nothing may follow it in this direction (RFC 6455 §5.5.1). */
  readonly closePassed: boolean
  /** Takes the next chunk of the stream. */
  advance(chunk: Buffer): void
  /** Takes the next chunk up to the first frame boundary; returns how many of its bytes that were, 0 when at one already. */
  advanceToBoundary(chunk: Buffer): number
}

export function createFrameTracker(): FrameTracker {
  return new HeaderTracker()
}

/**
 * A Close frame with a status code and no text (RFC 6455 §5.5.1). What is sent in the place of a client is masked with
 * a fresh key (§5.3). Throws RangeError for a code that §7.4 does not allow in a frame.
 */
export function closeFrame(code: number, { mask }: { readonly mask: boolean }): Buffer {
  if (!isSendable(code)) throw new RangeError(`not a close code that may be sent: ${code}`)
  if (!mask) return Buffer.from([FIN | OPCODE_CLOSE, 2, code >> 8, code & 0xff])
  const frame = randomFillSync(Buffer.alloc(4 + MASK_KEY_BYTES), 2, MASK_KEY_BYTES)
  frame[0] = FIN | OPCODE_CLOSE
  frame[1] = MASK | 2
  frame[6] = (code >> 8) ^ frame.readUInt8(2)
  frame[7] = (code & 0xff) ^ frame.readUInt8(3)
  return frame
}

function isSendable(code: number): boolean {
  if (!Number.isInteger(code)) return false
  const isReserved = code === 1004 || code === 1005 || code === 1006 || code === 1015
  return code >= 1000 && code <= 4999 && !isReserved
}

/** Neither a reserved opcode nor a control frame in fragments (§5.5). */
function isKnownFirst(byte: number): boolean {
  const opcode = byte & 0x0f
  return opcode >= CONTROL ? opcode <= OPCODE_HIGHEST_CONTROL && byte >= FIN : opcode <= OPCODE_HIGHEST_DATA
}

class HeaderTracker implements FrameTracker {
  position: FrameTracker['position'] = 'boundary'
  closePassed = false
  #expects: 'first' | 'second' | 'length' | 'payload' = 'first'
  #first = 0
  #isMasked = false
  #lengthBytes = 0
  #lengthBytesLeft = 0
  /** While the header is read: the payload length so far. After it: bytes of mask key and payload still to come. */
  #left = 0

  advance(chunk: Buffer): void {
    let offset = 0
    while (offset < chunk.length && this.position !== 'lost') offset = this.#step(chunk, offset)
  }

  advanceToBoundary(chunk: Buffer): number {
    let offset = 0
    while (offset < chunk.length && this.position === 'inside') offset = this.#step(chunk, offset)
    return this.position === 'lost' ? chunk.length : offset
  }

  /** Takes one byte of a header, or all that the chunk has of a payload; returns the offset after it. */
  #step(chunk: Buffer, offset: number): number {
    if (this.#expects === 'payload') {
      const taken = Math.min(this.#left, chunk.length - offset)
      this.#left -= taken
      if (this.#left === 0) this.#endFrame()
      return offset + taken
    }
    const byte = chunk[offset] ?? 0
    if (this.#expects === 'first') this.#takeFirst(byte)
    else if (this.#expects === 'second') this.#takeSecond(byte)
    else this.#takeLength(byte)
    return offset + 1
  }

  #takeFirst(byte: number): void {
    this.#first = byte
    this.#expects = 'second'
    this.position = isKnownFirst(byte) ? 'inside' : 'lost'
  }

  #takeSecond(byte: number): void {
    const length = byte & 0x7f
    const isControl = (this.#first & CONTROL) !== 0
    this.#isMasked = byte >= MASK
    if (length < LENGTH_16) this.#endHeader(length)
    else if (isControl) this.position = 'lost'
    else {
      this.#lengthBytes = length === LENGTH_64 ? 8 : 2
      this.#lengthBytesLeft = this.#lengthBytes
      this.#left = 0
      this.#expects = 'length'
    }
  }

  #takeLength(byte: number): void {
    this.#left = this.#left * 256 + byte
    this.#lengthBytesLeft -= 1
    if (this.#lengthBytesLeft > 0) return
    // The shortest form is the only one (§5.2), and no frame of 2^53 bytes is meant in earnest.
    const smallest = this.#lengthBytes === 8 ? 0x10000 : LENGTH_16
    if (this.#left < smallest || this.#left > Number.MAX_SAFE_INTEGER - MASK_KEY_BYTES) this.position = 'lost'
    else this.#endHeader(this.#left)
  }

  #endHeader(payloadBytes: number): void {
    this.#left = payloadBytes + (this.#isMasked ? MASK_KEY_BYTES : 0)
    this.#expects = 'payload'
    if (this.#left === 0) this.#endFrame()
  }

  #endFrame(): void {
    if ((this.#first & 0x0f) === OPCODE_CLOSE) this.closePassed = true
    this.position = 'boundary'
    this.#expects = 'first'
  }
}
