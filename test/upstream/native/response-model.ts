import fc from 'fast-check'
import type { HeaderList } from '../../../src/header-list.ts'

/** A response as it was meant, and its bytes. */
export interface ModelResponse {
  readonly method: string
  readonly status: number
  readonly statusText: string
  readonly headers: HeaderList
  readonly body: string
  readonly trailers: HeaderList
  readonly interims: readonly { readonly status: number; readonly headers: HeaderList }[]
  readonly endsWithConnection: boolean
  readonly bytes: string
}

const TOKEN_CHARACTERS = "abcXYZ019!#$%&'*+-.^_`|~"
const FRAMING_FIELDS = /^(content-length|transfer-encoding|connection|keep-alive)$/i

const tokens = fc
  .string({ unit: fc.constantFrom(...TOKEN_CHARACTERS), minLength: 1, maxLength: 20 })
  .filter((name) => !FRAMING_FIELDS.test(name))

/** Visible, obs-text, and blanks within. */
const texts = latin1(
  fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }), fc.constant(9)),
)

const blanks = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 3 })

const fields = fc.array(fc.tuple(tokens, texts.map(trimBlanks)), { maxLength: 6 }).map((pairs) => pairs.flat())

const bodies = latin1(fc.integer({ min: 0, max: 0xff }), 400)

const interims = fc.array(fc.record({ status: fc.constantFrom(100, 102, 103, 199), headers: fields }), { maxLength: 3 })

/** Cuts of a text of that length, in order. */
export function cutsOf(length: number): fc.Arbitrary<number[]> {
  const every = fc.constant(Array.from({ length }, (_, i) => i))
  const some = fc.array(fc.nat(length), { maxLength: 40 }).map((cuts) => cuts.sort((a, b) => a - b))
  return fc.oneof({ arbitrary: some, weight: 4 }, { arbitrary: every, weight: 1 })
}

/** Responses of every framing that there is, with everything that is allowed and seldom seen. */
export const modelResponses: fc.Arbitrary<ModelResponse> = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'HEAD'),
    status: fc.oneof(fc.constantFrom(200, 204, 304), fc.integer({ min: 200, max: 599 })),
    statusText: texts,
    fields,
    blanks,
    interims,
    framing: fc.constantFrom('length', 'chunked', 'close'),
    chunks: fc.array(bodies, { maxLength: 6 }),
    extension: fc.constantFrom('', ';x', ';x=y', ';x="a;b c"', ';x;y=1'),
    trailers: fields,
  })
  .map((choice) => {
    const { method, status, statusText, framing, extension } = choice
    const isBodyless = method === 'HEAD' || status === 204 || status === 304
    const chunks = isBodyless ? [] : choice.chunks.filter((chunk) => chunk !== '')
    const body = chunks.join('')
    const isChunked = framing === 'chunked' && status !== 204
    const trailers = isChunked && !isBodyless ? choice.trailers : []
    const headers = [...choice.fields]
    if (isChunked) headers.push('Transfer-Encoding', 'Chunked')
    else if (framing === 'length') headers.push('content-Length', String(body.length))
    const coded = chunks.map((chunk) => `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`).join('')
    const content = isChunked && !isBodyless ? `${coded}000\r\n${renderFields(trailers, choice.blanks)}\r\n` : body
    const before = choice.interims.map((interim) => renderHead(interim.status, 'interim', interim.headers, ''))
    return {
      ...{ method, status, statusText, headers, body, trailers, interims: choice.interims },
      endsWithConnection: !isChunked && framing !== 'length' && !isBodyless,
      bytes: before.join('') + renderHead(status, statusText, headers, choice.blanks) + content,
    }
  })

/** Responses with a few bytes exchanged, lost, or doubled: most of them broken. */
export const brokenResponses: fc.Arbitrary<{ readonly method: string; readonly bytes: string }> = fc
  .tuple(
    modelResponses,
    fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        drop: fc.nat(1),
        insert: fc.constantFrom(
          '',
          '\r',
          '\n',
          '\r\n',
          '\0',
          ' ',
          '\t',
          ':',
          ',',
          ';',
          '0',
          '1',
          'f',
          'z',
          '\x80',
          'close',
        ),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([{ method, bytes }, edits]) => ({
    method,
    bytes: edits.reduce((text, { at, drop, insert }) => {
      const index = Math.floor(at * text.length)
      return text.slice(0, index) + insert + text.slice(index + drop)
    }, bytes),
  }))

function renderHead(status: number, statusText: string, headers: HeaderList, blank: string): string {
  return `HTTP/1.1 ${status} ${statusText}\r\n${renderFields(headers, blank)}\r\n`
}

function renderFields(headers: HeaderList, blank: string): string {
  let text = ''
  for (let i = 0; i < headers.length; i += 2) {
    const [name = '', value] = headers.slice(i, i + 2)
    const around = FRAMING_FIELDS.test(name) ? blank.replaceAll('\t', ' ') : blank
    text += `${name}:${around}${value}${around}\r\n`
  }
  return text
}

function latin1(codes: fc.Arbitrary<number>, maxLength = 30): fc.Arbitrary<string> {
  return fc.array(codes, { maxLength }).map((octets) => String.fromCharCode(...octets))
}

function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}
