import type { MirrorConfig } from '../config/mirror-config.ts'
import type { Backend } from '../upstream/backend.ts'
import type { ResponseSink, UpstreamEngine, UpstreamFailure } from '../upstream/engine.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Arrival } from './arrival.ts'
import { buildRequestHeaders } from './headers/request-headers.ts'
import { type BodyCopy, TeeBody } from './tee-body.ts'
import type { ProxyAction } from './world.ts'

/** So many copies of a route's requests may be under way in one worker; what comes then is not copied. */
const MOST_UNDER_WAY = 256

/** Sends copies of some requests to other backends. What those answer, or whether they do, changes nothing else. */
export class Mirror {
  readonly #config: MirrorConfig
  readonly #upstream: Upstream
  readonly #random: () => number
  #underWay = 0

  /** `random`: from 0 to 1. */
  constructor(config: MirrorConfig, upstream: Upstream, random: () => number = Math.random) {
    this.#config = config
    this.#upstream = upstream
    this.#random = random
  }

  /** To be called before the exchange is forwarded; its body goes to both from then on. `path`: the target for backends. */
  copy(engine: UpstreamEngine, action: ProxyAction, arrival: Arrival, path: string): void {
    if (arrival.upgrade !== undefined || this.#underWay >= MOST_UNDER_WAY) return
    if (this.#random() >= this.#config.share) return
    const backend = this.#upstream.pick(arrival, [])
    if (backend === undefined) return
    const copy = takeCopy(arrival, this.#config.bufferBytes)
    const { head, identity, log, requestFields: fields } = arrival
    const { requestHeaders, timeouts } = action
    const { authority } = backend
    const input = { head, identity, requestId: log.requestId, backend: authority, upgrade: false, fields }
    const headers = buildRequestHeaders(requestHeaders, input)
    this.#underWay++
    backend.state.inFlight++
    backend.series.countRequest()
    const sink = new DroppedResponse(backend, () => this.#underWay--)
    const attempt = engine.request(backend, { method: head.method, path, headers, body: copy, timeouts }, sink)
    if (copy === undefined) return
    copy.givenUp = () => {
      attempt.abort()
      sink.end()
    }
    log.onFinish(() => copy.giveUp())
  }
}

/** What the exchange is given in place of its body; undefined where it has none. */
function takeCopy(arrival: Arrival, bufferBytes: number): BodyCopy | undefined {
  if (arrival.body === undefined) return undefined
  const tee = new TeeBody(arrival.body, bufferBytes)
  arrival.body = tee
  return tee.copy
}

class DroppedResponse implements ResponseSink {
  readonly #backend: Backend
  readonly #over: () => void
  #isOver = false

  constructor(backend: Backend, over: () => void) {
    this.#backend = backend
    this.#over = over
  }

  connected(): void {}

  inform(): void {}

  head(): void {}

  data(): boolean {
    return true
  }

  hasConsumed(): boolean {
    return true
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#backend.state.inFlight--
    this.#over()
  }

  fail({ reason }: UpstreamFailure): void {
    if (!this.#isOver) this.#backend.series.countFailure(reason)
    this.end()
  }
}
