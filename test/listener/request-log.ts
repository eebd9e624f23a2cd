import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { HeaderList } from '../../src/header-list.ts'
import { ClientInput } from '../../src/listener/client-input.ts'
import { MemoryPool } from '../../src/listener/memory-pool.ts'
import { RequestBody } from '../../src/listener/request-body.ts'
import { RequestIntake } from '../../src/listener/request-intake.ts'
import type { SoundRequest } from '../../src/listener/request-reader.ts'

export interface LoggedRequest {
  readonly method: string
  readonly target: string
  readonly httpVersion: string
  readonly headers: HeaderList
  readonly body: string
  readonly trailers: HeaderList
  readonly persists: boolean
}

/** What a parser made of some bytes. */
export interface RequestLog {
  /** Those that came in full. */
  readonly requests: readonly LoggedRequest[]
  /** `closed`: behind a request that is the last of its connection; `open`: the last request, or none, is incomplete. */
  readonly end: 'open' | 'closed' | 'refused'
  /** Of what was refused. */
  readonly status: number
}

const LIMITS = { headerBytes: 16_384, headers: 100, bodyBytes: 0, connections: 0 }
const READ_BYTES = 65_536

/** Reads the bytes in pieces that end at `cuts`; each request is over with its last byte. */
export function readRequests(text: string, cuts: readonly number[] = []): RequestLog {
  const requests: LoggedRequest[] = []
  let end: RequestLog['end'] = 'open'
  let status = 0
  let isBusy = false
  // All connections read into the same memory, which is somebody else's when a piece was taken.
  const shared = Buffer.alloc(READ_BYTES)
  const socket = Object.assign(new EventEmitter(), { pause() {}, resume() {} }) as unknown as Socket
  const host = {
    limits: LIMITS,
    get isBusy() {
      return isBusy
    },
    begin({ head, framing }: SoundRequest) {
      const chunks: Buffer[] = []
      isBusy = true
      const finish = (trailers: HeaderList) => {
        const { method, target, httpVersion, headers } = head
        const persists = framing.persists && framing.upgrade === 'none'
        const body = Buffer.concat(chunks).toString('latin1')
        requests.push({ method, target, httpVersion, headers, body, trailers, persists })
        if (persists) isBusy = false
        else end = 'closed'
        intake.endRequest()
      }
      if (!framing.hasBody) return finish([])
      intake.body = new RequestBody({ bodyWanted: () => intake.take() }, framing.lengthBytes)
      intake.body.start({
        data: (chunk) => void chunks.push(Buffer.from(chunk)),
        end: finish,
        fail() {
          end = 'refused'
          status = 400
        },
      })
    },
    refuse({ problem }: { problem: { status: number } }) {
      end = 'refused'
      status = problem.status
      intake.deafen()
    },
    headBegun() {},
    emptied() {},
  }
  const intake: RequestIntake = new RequestIntake(host, socket, new ClientInput(shared), new MemoryPool())
  const whole = Buffer.from(text, 'latin1')
  let at = 0
  for (const cut of [...cuts, whole.length]) {
    if (cut <= at || end !== 'open') continue
    const length = whole.copy(shared, 0, at, cut)
    intake.received(shared, 0, length)
    shared.fill('#', 0, length)
    at = cut
  }
  return { requests, end, status }
}
