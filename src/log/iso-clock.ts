/** ISO 8601 in UTC for a time in milliseconds, faster than a `Date` for times that share their second. */
export function createIsoClock(): (nowMs: number) => string {
  let second = Number.NaN
  let prefix = ''
  return (nowMs) => {
    const current = Math.floor(nowMs / 1000)
    if (current !== second) {
      second = current
      prefix = new Date(nowMs).toISOString().slice(0, -4)
    }
    return `${prefix}${String(nowMs - second * 1000).padStart(3, '0')}Z`
  }
}
