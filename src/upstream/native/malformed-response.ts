const SHOWN_LENGTH = 60

/** A backend's bytes that are no response, or that two readers could take for different ones. */
export class MalformedResponse extends Error {
  /** `shown` is the wrong value, of which the message has the beginning. */
  constructor(what: string, shown?: string | number) {
    super(shown === undefined ? what : `${what} ${JSON.stringify(String(shown).slice(0, SHOWN_LENGTH))}`)
    this.name = 'MalformedResponse'
  }
}
