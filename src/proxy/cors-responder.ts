import type { Responder, ResponderWatcher, ResponseHead } from '../exchange.ts'
import { type HeaderList, hasToken, headerValues } from '../header-list.ts'
import { dropWhere } from './headers/hop-by-hop.ts'

/** Stands before another responder, and puts fields of its own in place of the Access-Control fields of a head. */
export class CorsResponder implements Responder {
  readonly #inner: Responder
  readonly #fields: HeaderList
  readonly #isVarying: boolean

  /** `isVarying`: for another origin the fields would be others. */
  constructor(inner: Responder, fields: HeaderList, isVarying: boolean) {
    this.#inner = inner
    this.#fields = fields
    this.#isVarying = isVarying
  }

  get headSent(): boolean {
    return this.#inner.headSent
  }

  watch(watcher: ResponderWatcher): void {
    this.#inner.watch(watcher)
  }

  inform(status: number, headers: HeaderList): void {
    this.#inner.inform(status, headers)
  }

  head({ status, statusText, headers: given }: ResponseHead): void {
    const headers = [...given]
    dropWhere(headers, 0, isAccessControl)
    headers.push(...this.#fields)
    const vary = this.#isVarying ? headerValues(headers, 'vary') : []
    if (this.#isVarying && !vary.some((value) => hasToken(value, 'origin') || hasToken(value, '*'))) {
      headers.push('Vary', 'Origin')
    }
    this.#inner.head({ status, statusText, headers })
  }

  write(chunk: Buffer): boolean {
    return this.#inner.write(chunk)
  }

  hasConsumed(): boolean {
    return this.#inner.hasConsumed?.() === true
  }

  end(trailers: HeaderList): void {
    this.#inner.end(trailers)
  }

  abort(): void {
    this.#inner.abort()
  }
}

function isAccessControl(name: string): boolean {
  return name.length > 15 && name.slice(0, 15).toLowerCase() === 'access-control-'
}
