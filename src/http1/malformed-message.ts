const SHOWN_LENGTH = 60

/** A peer's bytes that are no HTTP/1 message, or that two readers could take for different ones. */
export class MalformedMessage extends Error {
  /** `shown` is the wrong value, of which the message has the beginning. */
  constructor(what: string, shown?: string | number) {
    super(shown === undefined ? what : `${what} ${JSON.stringify(String(shown).slice(0, SHOWN_LENGTH))}`)
    this.name = 'MalformedMessage'
  }
}

/** A head, or trailers, of more bytes than are taken. */
export class OversizedBlock extends MalformedMessage {
  constructor(maxBytes: number) {
    super(`head or trailers over ${maxBytes} bytes`)
    this.name = 'OversizedBlock'
  }
}
