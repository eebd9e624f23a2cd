/** Node and others close an idle connection after 5 s, some without a word about it. */
const KEPT_MS = 4_000
const MAX_KEPT_MS = 60_000
/** A request that crosses a close by the backend is lost: an announced one is not waited for. */
const MARGIN_MS = 1_000

const TIMEOUT = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,9})/i

/** How long a connection may be idle before it is closed here, by the backend's Keep-Alive field; 0: not at all. */
export function computeKeptMs(keepAlive: string | undefined): number {
  const seconds = keepAlive === undefined ? undefined : TIMEOUT.exec(keepAlive)?.[1]
  if (seconds === undefined) return KEPT_MS
  return Math.min(MAX_KEPT_MS, Math.max(0, Number(seconds) * 1_000 - MARGIN_MS))
}
