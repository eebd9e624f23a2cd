/** How gladly a client takes a media type, from 0, not at all, to 1 (RFC 9110 §12.5.1); `accept` undefined: anything. */
export function weightOf(accept: string | undefined, type: string): number {
  if (accept === undefined || accept.trim() === '') return 1
  const kind = `${type.slice(0, type.indexOf('/'))}/*`
  return weightOfRange(accept, type) ?? weightOfRange(accept, kind) ?? weightOfRange(accept, '*/*') ?? 0
}

/** Of that very range; undefined where it is not named. One with parameters counts like one without. */
export function weightOfRange(accept: string, range: string): number | undefined {
  for (const part of accept.split(',')) {
    const [name, ...parameters] = part.split(';')
    if (name?.trim().toLowerCase() !== range) continue
    const quality = parameters.find((parameter) => parameter.trim().toLowerCase().startsWith('q='))
    const weight = quality === undefined ? 1 : Number(quality.trim().slice(2))
    return Number.isFinite(weight) ? weight : 0
  }
  return undefined
}
