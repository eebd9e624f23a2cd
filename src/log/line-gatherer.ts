const GATHER_MS = 100
const GATHER_LENGTH = 16 * 1024

/** Gathers lines so that many leave in one write. */
export interface LineGatherer {
  /** One whole line or more, each with its newline. Leaves within 100 ms, or with the first 16 KB. */
  add(lines: string): void
  flush(): void
}

export function createLineGatherer(write: (lines: string) => void): LineGatherer {
  let gathered = ''
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (gathered === '') return
    const lines = gathered
    gathered = ''
    write(lines)
  }

  return {
    add(lines) {
      gathered += lines
      if (gathered.length >= GATHER_LENGTH) flush()
      else timer ??= setTimeout(flush, GATHER_MS).unref()
    },
    flush,
  }
}
