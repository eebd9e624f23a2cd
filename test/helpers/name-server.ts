import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { isIP } from 'node:net'
import type { TestContext } from 'node:test'

export interface ServiceRecord {
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: string
}

/** What a name has; a name that is not there does not exist. */
export interface NameRecords {
  /** Seconds. */
  readonly ttl?: number
  readonly addresses?: readonly string[]
  readonly services?: readonly ServiceRecord[]
}

export interface NameServer {
  /** `127.0.0.1:port`. */
  readonly address: string
  /** May be changed while it runs. */
  readonly names: Map<string, NameRecords>
  /** What it was asked: `A a.test`. */
  readonly questions: readonly string[]
  /** Silent ones do not answer. */
  isSilent: boolean
}

const TYPES: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA', 33: 'SRV' }
const NO_SUCH_NAME = 3

/** A name server on loopback that answers A, AAAA and SRV over UDP (RFC 1035 §4, RFC 2782). */
export async function startNameServer(
  t: TestContext,
  names: Readonly<Record<string, NameRecords>>,
): Promise<NameServer> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.after(() => socket.close())
  const questions: string[] = []
  const server: NameServer = {
    address: `127.0.0.1:${(socket.address() as AddressInfo).port}`,
    names: new Map(Object.entries(names)),
    questions,
    isSilent: false,
  }
  socket.on('message', (query, peer) => {
    const { name, type, end } = readQuestion(query)
    questions.push(`${type} ${name}`)
    if (!server.isSilent)
      socket.send(answer(query.subarray(0, end), type, server.names.get(name)), peer.port, peer.address)
  })
  return server
}

function readQuestion(query: Buffer): { name: string; type: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return { name: labels.join('.').toLowerCase(), type: TYPES[query.readUInt16BE(at + 1)] ?? '?', end: at + 5 }
}

function answer(question: Buffer, type: string, records: NameRecords | undefined): Buffer {
  const data = records === undefined ? [] : encodeRecords(type, records)
  const head = Buffer.from(question)
  head.writeUInt16BE(0x8180 | (records === undefined ? NO_SUCH_NAME : 0), 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(data.length, 6)
  head.writeUInt32BE(0, 8)
  return Buffer.concat([head, ...data.map((one) => encodeAnswer(head, one, records?.ttl ?? 60))])
}

function encodeAnswer(head: Buffer, data: Buffer, ttl: number): Buffer {
  const fields = Buffer.alloc(12)
  fields.writeUInt16BE(0xc00c, 0)
  // Type and class of the question.
  head.copy(fields, 2, head.length - 4)
  fields.writeUInt32BE(ttl, 6)
  fields.writeUInt16BE(data.length, 10)
  return Buffer.concat([fields, data])
}

function encodeRecords(type: string, { addresses = [], services = [] }: NameRecords): Buffer[] {
  if (type === 'A')
    return addresses.filter((one) => isIP(one) === 4).map((one) => Buffer.from(one.split('.').map(Number)))
  if (type === 'AAAA') return addresses.filter((one) => isIP(one) === 6).map(encodeIpv6)
  return type === 'SRV' ? services.map(encodeService) : []
}

function encodeIpv6(address: string): Buffer {
  const [before = '', after = ''] = address.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  const [left, right] = [groups(before), groups(after)]
  const all = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
  const bytes = Buffer.alloc(16)
  for (const [i, group] of all.entries()) bytes.writeUInt16BE(group, i * 2)
  return bytes
}

function encodeService({ priority, weight, port, target }: ServiceRecord): Buffer {
  const numbers = Buffer.alloc(6)
  for (const [i, number] of [priority, weight, port].entries()) numbers.writeUInt16BE(number, i * 2)
  const labels = target.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')]))
  return Buffer.concat([numbers, ...labels, Buffer.from([0])])
}
