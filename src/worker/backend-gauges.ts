import type { BackendGauges } from '../metrics/delta.ts'
import type { Backend } from '../upstream/backend.ts'
import type { PoolUse, UpstreamEngine } from '../upstream/engine.ts'

const UNKNOWN: PoolUse = { busy: 0, idle: 0 }

/** What is open to these backends, of which one may stand in the list several times; those with nothing open are left out. */
export function readBackendGauges(backends: Iterable<Backend>, engine: UpstreamEngine): BackendGauges[] {
  const gauges: BackendGauges[] = []
  for (const backend of new Set(backends)) {
    const { inFlight, tunnels } = backend.state
    const { busy, idle } = engine.poolUse?.(backend) ?? UNKNOWN
    if (inFlight + tunnels + busy + idle === 0) continue
    gauges.push({ name: backend.name, inFlight, tunnels, busy, idle })
  }
  return gauges
}
