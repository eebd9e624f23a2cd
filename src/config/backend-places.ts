import { hostOf } from '../address.ts'
import type { KeyPath } from './key-path.ts'
import type { ConfigParts } from './parse.ts'
import type { ForwardAuthSettings } from './schema/auth.ts'
import type { BackendTlsSettings, MemberSettings } from './schema/backend.ts'
import type { RouteSettings } from './schema/route.ts'

/** A backend as the file has it, and where. */
export interface BackendPlace {
  /** Of the map that has `ssl`. */
  readonly path: KeyPath
  /** What names the host in that map. */
  readonly hostKey: 'host' | 'url'
  readonly host: string | undefined
  readonly port: number | undefined
  readonly ssl: boolean | BackendTlsSettings
}

/** Every backend of the file that is sound, those of routes first. */
export function listBackendPlaces({ routes, upstreams }: ConfigParts): BackendPlace[] {
  return [
    ...routes.flatMap((route, i) => (route === undefined ? [] : listOfRoute(route, routePath(i)))),
    ...[...(upstreams ?? [])].flatMap(([name, one]) =>
      one === undefined ? [] : listMembers(one.backends, upstreamPath(name)),
    ),
  ]
}

export function routePath(index: number): KeyPath {
  return ['server', 'reverse_proxy', index]
}

export function upstreamPath(name: string): KeyPath {
  return ['server', 'upstreams', name]
}

function listOfRoute(route: RouteSettings, path: KeyPath): BackendPlace[] {
  const { host, port, ssl, backends, auth } = route
  const asked = auth?.forward === undefined ? [] : [authServicePlace(auth.forward, path)]
  return [{ path, hostKey: 'host', host, port, ssl }, ...listMembers(backends ?? [], path), ...asked]
}

/** `route`: the path of its map. */
export function authServicePlace({ url, ssl }: ForwardAuthSettings, route: KeyPath): BackendPlace {
  const { protocol, hostname, port } = new URL(url)
  return {
    path: [...route, 'auth', 'forward'],
    hostKey: 'url',
    host: hostOf(hostname),
    port: port === '' ? undefined : Number(port),
    ssl: protocol === 'https:' && (ssl ?? true),
  }
}

function listMembers(members: readonly MemberSettings[], path: KeyPath): BackendPlace[] {
  return members.map(({ host, port, ssl }, i) => ({ path: [...path, 'backends', i], hostKey: 'host', host, port, ssl }))
}
