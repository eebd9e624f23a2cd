import type { BodySink, BodySource } from '../../src/exchange.ts'
import type { HeaderList } from '../../src/header-list.ts'
import { NO_HEADERS } from '../../src/header-list.ts'

/** A request body that is fed by hand. */
export class ScriptedBody implements BodySource {
  readonly lengthBytes: number | undefined
  readonly started: Promise<BodySink>
  isPaused = false
  pauses = 0
  #start: (sink: BodySink) => void
  #sink: BodySink | undefined
  #onResume: (() => void) | undefined

  constructor(lengthBytes?: number) {
    this.lengthBytes = lengthBytes
    const { promise, resolve } = Promise.withResolvers<BodySink>()
    this.started = promise
    this.#start = resolve
  }

  /** A body that sends all of it as fast as it may. */
  static of(
    chunks: readonly (string | Buffer)[],
    lengthBytes?: number,
    trailers: HeaderList = NO_HEADERS,
  ): ScriptedBody {
    const body = new ScriptedBody(lengthBytes)
    void body.#pushAll(chunks, trailers)
    return body
  }

  get isStarted(): boolean {
    return this.#sink !== undefined
  }

  start(sink: BodySink): void {
    if (this.#sink !== undefined) throw new Error('started twice')
    this.#sink = sink
    this.#start(sink)
  }

  pause(): void {
    this.isPaused = true
    this.pauses++
  }

  resume(): void {
    this.isPaused = false
    this.#onResume?.()
    this.#onResume = undefined
  }

  /** Waits while it is paused, then hands the chunk over. */
  async push(chunk: string | Buffer): Promise<void> {
    await this.started
    if (this.isPaused) await this.resumed()
    this.#sink?.data(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk)
  }

  /** Hands the chunk over, paused or not: what was on its way already comes all the same. */
  give(text: string): void {
    this.#sink?.data(Buffer.from(text, 'latin1'))
  }

  resumed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onResume = resolve
    return promise
  }

  end(trailers: HeaderList = NO_HEADERS): void {
    this.#sink?.end(trailers)
  }

  async #pushAll(chunks: readonly (string | Buffer)[], trailers: HeaderList): Promise<void> {
    for (const chunk of chunks) await this.push(chunk)
    await this.started
    this.end(trailers)
  }
}
