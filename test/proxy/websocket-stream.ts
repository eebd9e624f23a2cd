/** WebSocket frames as a test writes and reads them: slow, plain, and written apart from what it checks. */
export interface FrameShape {
  readonly opcode: number
  readonly isFinal: boolean
  /** RSV1 to RSV3 as one number. */
  readonly reserved: number
  readonly isMasked: boolean
  readonly payloadBytes: number
}

export function encodeFrame({ opcode, isFinal, reserved, isMasked, payloadBytes }: FrameShape): Buffer {
  const maskBit = isMasked ? 128 : 0
  const head = [(isFinal ? 128 : 0) + reserved * 16 + opcode]
  if (payloadBytes <= 125) head.push(maskBit + payloadBytes)
  else if (payloadBytes <= 65_535) head.push(maskBit + 126, Math.floor(payloadBytes / 256), payloadBytes % 256)
  else {
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(payloadBytes))
    head.push(maskBit + 127, ...length)
  }
  if (isMasked) head.push(1, 2, 3, 4)
  return Buffer.concat([Buffer.from(head), Buffer.alloc(payloadBytes, 0x88)])
}

export interface StreamShape {
  /** Where the stream stands at its end. */
  readonly position: 'boundary' | 'inside' | 'lost'
  /** Offsets at which a frame may begin, 0 included. */
  readonly boundaries: readonly number[]
  /** Whole Close frames. */
  readonly closes: number
}

/** Reads a stream from its start. */
export function frameSizes(stream: Buffer): StreamShape {
  const boundaries = [0]
  let closes = 0
  let offset = 0
  while (offset < stream.length) {
    const length = lengthOfFrame(stream.subarray(offset))
    if (length === 'lost') return { position: 'lost', boundaries, closes }
    if (length === undefined || offset + length > stream.length) return { position: 'inside', boundaries, closes }
    if (stream.readUInt8(offset) % 16 === 8) closes++
    offset += length
    boundaries.push(offset)
  }
  return { position: 'boundary', boundaries, closes }
}

function lengthOfFrame(bytes: Buffer): number | 'lost' | undefined {
  const opcode = bytes.readUInt8(0) % 16
  const isFinal = bytes.readUInt8(0) >= 128
  if (![0, 1, 2, 8, 9, 10].includes(opcode) || (opcode >= 8 && !isFinal)) return 'lost'
  if (bytes.length < 2) return undefined
  const mask = bytes.readUInt8(1) >= 128 ? 4 : 0
  const short = bytes.readUInt8(1) % 128
  if (short <= 125) return 2 + mask + short
  if (opcode >= 8) return 'lost'
  if (short === 126) {
    if (bytes.length < 4) return undefined
    return bytes.readUInt16BE(2) <= 125 ? 'lost' : 4 + mask + bytes.readUInt16BE(2)
  }
  if (bytes.length < 10) return undefined
  const long = bytes.readBigUInt64BE(2)
  if (long <= 65_535n || long > BigInt(Number.MAX_SAFE_INTEGER) - 4n) return 'lost'
  return 10 + mask + Number(long)
}
