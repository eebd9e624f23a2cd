/** What is done with fields of certain names, decided without a copy of most of the names that are looked up. */
export interface FieldTable<K extends string> {
  /** By length of the name: a bit for each first letter that a name of that length has. */
  readonly firstLetters: Int32Array
  readonly kinds: ReadonlyMap<string, K>
  readonly variantKind: K | undefined
}

const MAX_LENGTH = 63

/**
 * `kinds` are keyed by lower-case names. `variantKind` is the kind of a name that differs from one of them only by
 * underscores for hyphens: CGI and WSGI backends (RFC 3875 §4.1.18) cannot tell the two apart.
 */
export function compileFieldTable<K extends string>(kinds: ReadonlyMap<string, K>, variantKind?: K): FieldTable<K> {
  const firstLetters = new Int32Array(MAX_LENGTH + 1)
  for (const name of kinds.keys()) {
    const index = Math.min(name.length, MAX_LENGTH)
    firstLetters[index] = (firstLetters[index] ?? 0) | letterBit(name)
  }
  return { firstLetters, kinds, variantKind }
}

/** Undefined where the table does not know the name. Names are compared without regard to case (RFC 9110 §5.1). */
export function findField<K extends string>(table: FieldTable<K>, name: string): K | undefined {
  const letters = table.firstLetters[Math.min(name.length, MAX_LENGTH)] ?? 0
  if ((letters & letterBit(name)) === 0) return undefined
  const lowerName = name.toLowerCase()
  const kind = table.kinds.get(lowerName)
  if (kind !== undefined || table.variantKind === undefined || !lowerName.includes('_')) return kind
  return table.kinds.has(lowerName.replaceAll('_', '-')) ? table.variantKind : undefined
}

/** The low five bits of a letter's code are the same in both cases. */
function letterBit(name: string): number {
  return 1 << (name.charCodeAt(0) & 31)
}
