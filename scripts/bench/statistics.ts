/** The middle value, or the mean of the two in the middle. Undefined of nothing. */
export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

/** Of values in ascending order: the least that `percent` of them do not exceed; 0 of nothing. */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  const rank = Math.ceil((percent / 100) * sorted.length)
  return sorted[Math.max(0, rank - 1)] ?? 0
}

/**
 * The median of `a / b` by round: both were measured one after the other in the same round, so that a machine that
 * slowed down in between rounds changes nothing. Undefined where no round has both.
 */
export function pairedRatio(
  a: readonly (number | undefined)[],
  b: readonly (number | undefined)[],
): number | undefined {
  const ratios = a.flatMap((value, round) => {
    const base = b[round]
    return value === undefined || base === undefined || base === 0 ? [] : [value / base]
  })
  return median(ratios)
}
