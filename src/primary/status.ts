import { formatAddress } from '../address.ts'
import type { Config, RouteConfig } from '../config/config.ts'
import type { ListenReport, RouteReport, WorkerReport } from '../ipc/control.ts'
import type { ServingState } from './serving-state.ts'
import type { Supervisor } from './supervisor.ts'

export function reportListen({ snapshot, sockets }: ServingState): ListenReport[] {
  return snapshot.config.server.listen.map(({ host, port: configured, tls }, index) => {
    const port = sockets[index]?.port ?? configured
    return { host, port, tls, url: `${tls ? 'https' : 'http'}://${formatAddress(host, port)}` }
  })
}

/** Every process that is not gone, in the order of the slots; those that drain too. */
export function reportWorkers(supervisor: Supervisor): WorkerReport[] {
  const crashes = new Map(supervisor.slots.map((slot) => [slot.id, slot.crashes]))
  return [...supervisor.workers]
    .flatMap(({ slot, pid, generation, phase, startedAtMs, stats }): WorkerReport[] => {
      if (phase === 'gone') return []
      const startedAt = new Date(startedAtMs).toISOString()
      return [{ id: slot, pid, generation, state: phase, startedAt, crashes: crashes.get(slot) ?? 0, stats }]
    })
    .sort((a, b) => a.id - b.id || a.generation - b.generation)
}

export function reportRoutes({ routes }: Config): RouteReport[] {
  return routes.map((route) => {
    const { name, path, domains, methods } = route
    return { name, path, domains, methods, target: describeTarget(route) }
  })
}

function describeTarget({ action }: RouteConfig): string {
  switch (action.kind) {
    case 'proxy':
      return action.upstream.backends
        .map(({ host, port, tls }) => `${tls ? 'https' : 'http'}://${formatAddress(host, port)}`)
        .join(', ')
    case 'respond':
      return `respond ${action.status}`
    case 'redirect':
      return `redirect ${action.status} ${action.to}`
  }
}
