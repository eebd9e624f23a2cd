import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto'

export interface SelfSigned {
  readonly certPem: string
  readonly keyPem: string
}

/**
 * A self-signed certificate for `localhost` and 127.0.0.1 (RFC 5280, P-256, valid for `days`), made without any
 * program: a fresh machine need not have openssl to try the sample backend that speaks TLS.
 */
export function createSelfSigned(days: number, nowMs: number): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const name = sequence(set(sequence(oid('2.5.4.3'), utf8('localhost'))))
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'))
  const body = sequence(
    explicit(0, integer(Buffer.of(2))),
    integer(randomBytes(8)),
    algorithm,
    name,
    sequence(time(nowMs - 3_600_000), time(nowMs + days * 86_400_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(basicConstraints(), subjectAltName())),
  )
  const signature = createSign('sha256').update(body).sign(privateKey)
  const der = sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.of(0), signature])))
  const base64 = der.toString('base64').replace(/.{64}/g, '$&\n')
  return {
    certPem: `-----BEGIN CERTIFICATE-----\n${base64.trimEnd()}\n-----END CERTIFICATE-----\n`,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function basicConstraints(): Buffer {
  return sequence(oid('2.5.29.19'), BOOLEAN_TRUE, octets(sequence(BOOLEAN_TRUE)))
}

function subjectAltName(): Buffer {
  const names = sequence(tagged(0x82, Buffer.from('localhost')), tagged(0x87, Buffer.of(127, 0, 0, 1)))
  return sequence(oid('2.5.29.17'), octets(names))
}

const BOOLEAN_TRUE = Buffer.of(0x01, 0x01, 0xff)

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag), length(content.length), content])
}

function length(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.of(bytes)
  return bytes < 0x100 ? Buffer.of(0x81, bytes) : Buffer.of(0x82, bytes >> 8, bytes & 0xff)
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function set(...parts: readonly Buffer[]): Buffer {
  return tagged(0x31, Buffer.concat(parts))
}

function explicit(index: number, content: Buffer): Buffer {
  return tagged(0xa0 + index, content)
}

function octets(content: Buffer): Buffer {
  return tagged(0x04, content)
}

function utf8(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text))
}

/** A positive integer: a leading set bit would make it negative. */
function integer(bytes: Buffer): Buffer {
  return tagged(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes)
}

/** UTCTime, which RFC 5280 §4.1.2.5 asks for until 2049. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)
  return tagged(0x17, Buffer.from(`${digits}Z`))
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return tagged(0x06, Buffer.from(bytes))
}
