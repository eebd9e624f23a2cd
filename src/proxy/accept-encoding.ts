export type Coding = 'br' | 'gzip' | 'zstd'

/** RFC 9110 §12.4.2. */
const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/**
 * The coding to answer with (RFC 9110 §12.5.3): the one that weighs most, of equals the one offered first; undefined where
 * none is acceptable, or the client would rather have none. `accept` are the values of all its Accept-Encoding fields: a
 * client that sends none is not known to understand any.
 */
export function chooseCoding(accept: readonly string[], offered: readonly Coding[]): Coding | undefined {
  if (accept.length === 0) return undefined
  const weights = new Map<string, number>()
  for (const value of accept) {
    for (const entry of value.split(',')) readEntry(entry, weights)
  }
  const any = weights.get('*')
  let best: Coding | undefined
  let bestWeight = 0
  for (const coding of offered) {
    const weight = weights.get(coding) ?? any ?? 0
    if (weight > bestWeight) {
      best = coding
      bestWeight = weight
    }
  }
  // Where nothing is said of identity, it is acceptable, and less so than what is listed.
  return bestWeight >= (weights.get('identity') ?? any ?? 0) ? best : undefined
}

function readEntry(entry: string, weights: Map<string, number>): void {
  const [name = '', ...parameters] = entry.split(';')
  const token = name.trim().toLowerCase()
  if (token === '') return
  // RFC 9110 §8.4.1.3: the two are one.
  weights.set(token === 'x-gzip' ? 'gzip' : token, readWeight(parameters))
}

/** A weight that is none is taken for a refusal: what a client does not clearly want it may not understand. */
function readWeight(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=')
    if (name.trim().toLowerCase() !== 'q') continue
    const weight = value.trim()
    return WEIGHT.test(weight) ? Number(weight) : 0
  }
  return 1
}
