/** What a change of a key needs: a new snapshot, other workers, a change of their number, or nothing. */
export type Change = 'none' | 'swap' | 'scale' | 'roll'

/** What is known of a key besides its schema. */
export interface KeyTraits {
  readonly change: Change
  /** The kind of value, for people. */
  readonly kind: string
  readonly description: string
  /** For people, where the schema itself has no default. */
  readonly usual?: string
}

export const none = traitsOf('none')
export const swap = traitsOf('swap')
export const scale = traitsOf('scale')
export const roll = traitsOf('roll')

function traitsOf(change: Change) {
  return (kind: string, description: string, usual?: string) =>
    ({ change, kind, description, ...(usual === undefined ? {} : { usual }) }) satisfies KeyTraits
}
