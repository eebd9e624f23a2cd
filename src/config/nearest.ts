/** The candidate that is most like `word`, without regard to case; undefined where none is near. The first of equals wins. */
export function findNearest(word: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const limit = Math.min(least - 1, patienceFor(candidate))
    if (Math.abs(candidate.length - word.length) > limit) continue
    const distance = measureDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance > limit) continue
    nearest = candidate
    least = distance
  }
  return nearest
}

function patienceFor(candidate: string): number {
  if (candidate.length <= 3) return 1
  return candidate.length <= 7 ? 2 : 3
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function measureDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let cost = Math.min(replaced, at(last, j) + 1, at(row, j - 1) + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(beforeLast, j - 2) + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
