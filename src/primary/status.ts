import { formatAddress } from '../address.ts'
import { formatBalancing, listUpstreams } from '../config/balancing-config.ts'
import type { Config, MemberConfig, RouteConfig } from '../config/config.ts'
import type { ListenReport, RouteReport, UpstreamReport, WorkerReport } from '../ipc/control.ts'
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

/** Every group of backends, those that routes share first. */
export function reportUpstreams(config: Config): UpstreamReport[] {
  return listUpstreams(config).map(({ name, balancing, backends }, index) => ({
    name,
    shared: index < config.upstreams.length,
    loadBalancing: formatBalancing(balancing),
    backends: backends.map(describeMember),
  }))
}

function describeTarget({ action }: RouteConfig): string {
  switch (action.kind) {
    case 'proxy':
      if (action.split !== undefined) {
        return action.split.parts.map(({ upstream, weight }) => `upstream ${upstream} x${weight}`).join(', ')
      }
      return typeof action.upstream === 'string'
        ? `upstream ${action.upstream}`
        : action.upstream.backends.map(describeMember).join(', ')
    case 'respond':
      return `respond ${action.status}`
    case 'redirect':
      return `redirect ${action.status} ${action.to}`
  }
}

function describeMember({ host, port, tls, weight, backup, discovery }: MemberConfig): string {
  const scheme = tls ? 'https' : 'http'
  const url = discovery === 'service' ? `${scheme} srv ${host}` : `${scheme}://${formatAddress(host, port)}`
  return `${url}${weight === 1 ? '' : ` x${weight}`}${backup ? ' backup' : ''}`
}
