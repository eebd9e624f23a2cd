const MIN_BYTES = 4_096
const CLASSES = 5
const MAX_SPARE = 64

/**
 * Buffers of 4 to 64 KB that are used again: memory of that size costs more to get, and to have collected, than to fill. At
 * most 8 MB are kept.
 */
export class MemoryPool {
  readonly #spare: readonly Buffer[][] = Array.from({ length: CLASSES }, () => [])

  /** A copy, in memory that may be larger; undefined where the pool is of no use for that size. */
  copy(bytes: Buffer, start: number, end: number): Buffer | undefined {
    const sizeClass = classOf(end - start)
    const spare = this.#spare[sizeClass]
    if (spare === undefined) return undefined
    const memory = spare.pop() ?? Buffer.allocUnsafeSlow(MIN_BYTES << sizeClass)
    bytes.copy(memory, 0, start, end)
    return memory
  }

  /** Nobody may use it any more. */
  giveBack(memory: Buffer): void {
    const spare = this.#spare[classOf(memory.length)]
    if (spare !== undefined && spare.length < MAX_SPARE) spare.push(memory)
  }
}

/** The class whose memory that many bytes fill more than half; -1 for few. */
function classOf(sizeBytes: number): number {
  return sizeBytes <= MIN_BYTES / 2 ? -1 : Math.max(0, 32 - Math.clz32((sizeBytes - 1) >> 12))
}
