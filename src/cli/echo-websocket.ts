import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

// RFC 6455 §1.3
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const MAX_FRAME_BYTES = 64 * 1024 * 1024
const CLOSE_TIMEOUT_MS = 2_000

const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
const CLOSE = { protocolError: 1002, tooBig: 1009 } as const

interface Frame {
  readonly fin: boolean
  readonly reserved: number
  readonly opcode: number
  readonly masked: boolean
  readonly payload: Buffer
}

/**
 * Answers a WebSocket upgrade and sends every message back, frame by frame as it came (RFC 6455). Without extensions:
 * a client
 * that offers one goes on without it. False where the request is no WebSocket handshake.
 */
export function echoWebSocket(request: IncomingMessage, socket: Duplex, first: Buffer): boolean {
  const key = request.headers['sec-websocket-key']
  const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket' && request.method === 'GET'
  if (!isWebSocket || key === undefined) return false
  socket.on('error', () => socket.destroy())
  socket.write(formatHandshake(key, request.headers['sec-websocket-protocol']))
  echoFrames(socket, first)
  return true
}

function formatHandshake(key: string, offered: string | undefined): string {
  const accept = createHash('sha1')
    .update(key + ACCEPT_SUFFIX)
    .digest('base64')
  const protocol = offered?.split(',')[0]?.trim()
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...(protocol ? [`Sec-WebSocket-Protocol: ${protocol}`] : []),
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

function echoFrames(socket: Duplex, first: Buffer): void {
  let chunks: Buffer[] = []
  let bufferedBytes = 0
  let neededBytes = 0
  let closing = false
  let inMessage = false

  function close(payload: Buffer): void {
    closing = true
    socket.end(formatFrame(true, OPCODE.close, payload))
    const timer = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS)
    socket.on('close', () => clearTimeout(timer))
  }

  function echo(frame: Frame): void {
    const { fin, opcode, payload } = frame
    if (isInvalid(frame, inMessage)) {
      close(closeCode(CLOSE.protocolError))
    } else if (opcode === OPCODE.close) {
      close(payload)
    } else if (opcode !== OPCODE.pong) {
      if (!isControl(opcode)) inMessage = !fin
      const hasRoom = socket.write(formatFrame(fin, opcode === OPCODE.ping ? OPCODE.pong : opcode, payload))
      if (!hasRoom) socket.pause()
    }
  }

  function take(chunk: Buffer): void {
    chunks.push(chunk)
    bufferedBytes += chunk.length
    if (bufferedBytes < neededBytes) return
    let buffered = Buffer.concat(chunks)
    neededBytes = measureFrame(buffered)
    while (!closing && buffered.length >= neededBytes) {
      echo(parseFrame(buffered.subarray(0, neededBytes)))
      buffered = buffered.subarray(neededBytes)
      neededBytes = measureFrame(buffered)
    }
    if (!closing && neededBytes > MAX_FRAME_BYTES) close(closeCode(CLOSE.tooBig))
    chunks = [buffered]
    bufferedBytes = buffered.length
  }

  socket.on('data', (chunk: Buffer) => {
    if (!closing) take(chunk)
  })
  socket.on('drain', () => socket.resume())
  socket.on('end', () => socket.end())
  take(first)
}

/** RFC 6455 §5.1 (clients mask), §5.2 (reserved bits and opcodes), §5.4 (fragments), §5.5 (control frames). */
function isInvalid({ fin, reserved, opcode, masked, payload }: Frame, inMessage: boolean): boolean {
  if (!masked || reserved !== 0) return true
  if (isControl(opcode)) return !fin || payload.length > 125 || opcode > OPCODE.pong
  return opcode > OPCODE.binary || (opcode === OPCODE.continuation) !== inMessage
}

function isControl(opcode: number): boolean {
  return (opcode & 8) !== 0
}

/** Bytes of the whole frame at the start of the buffer, or of as much of its head as tells that. */
function measureFrame(buffer: Buffer): number {
  const second = buffer[1]
  if (second === undefined) return 2
  const maskBytes = (second & 0x80) === 0 ? 0 : 4
  const short = second & 0x7f
  if (short < 126) return 2 + maskBytes + short
  if (short === 126) return buffer.length < 4 ? 4 : 4 + maskBytes + buffer.readUInt16BE(2)
  return buffer.length < 10 ? 10 : 10 + maskBytes + Number(buffer.readBigUInt64BE(2))
}

function parseFrame(frame: Buffer): Frame {
  const [first = 0, second = 0] = frame
  const masked = (second & 0x80) !== 0
  const short = second & 0x7f
  const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10
  const payload = Buffer.from(frame.subarray(headBytes + (masked ? 4 : 0)))
  if (masked) {
    const mask = frame.subarray(headBytes, headBytes + 4)
    for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[i & 3] ?? 0)
  }
  return { fin: (first & 0x80) !== 0, reserved: first & 0x70, opcode: first & 0x0f, masked, payload }
}

function formatFrame(fin: boolean, opcode: number, payload: Buffer): Buffer {
  const first = (fin ? 0x80 : 0) | opcode
  if (payload.length < 126) return Buffer.concat([Buffer.from([first, payload.length]), payload])
  const head = Buffer.alloc(payload.length < 0x10000 ? 4 : 10)
  head[0] = first
  if (head.length === 4) {
    head[1] = 126
    head.writeUInt16BE(payload.length, 2)
  } else {
    head[1] = 127
    head.writeBigUInt64BE(BigInt(payload.length), 2)
  }
  return Buffer.concat([head, payload])
}

function closeCode(code: number): Buffer {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  return payload
}
