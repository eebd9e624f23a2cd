import { createHash } from 'node:crypto'

const PROTOCOL_ID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** The only Sec-WebSocket-Accept value that answers this Sec-WebSocket-Key (RFC 6455 §4.2.2). */
export function computeWebSocketAccept(key: string): string {
  return createHash('sha1')
    .update(key.trim() + PROTOCOL_ID)
    .digest('base64')
}
