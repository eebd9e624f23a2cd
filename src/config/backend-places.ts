import type { KeyPath } from './key-path.ts'
import type { ConfigParts } from './parse.ts'
import type { BackendTlsSettings, MemberSettings } from './schema/backend.ts'
import type { RouteSettings } from './schema/route.ts'

/** A backend as the file has it, and where. */
export interface BackendPlace {
  /** Of the map that has `host`, `port` and `ssl`. */
  readonly path: KeyPath
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
  const { host, port, ssl, backends } = route
  return [{ path, host, port, ssl }, ...listMembers(backends ?? [], path)]
}

function listMembers(members: readonly MemberSettings[], path: KeyPath): BackendPlace[] {
  return members.map(({ host, port, ssl }, i) => ({ path: [...path, 'backends', i], host, port, ssl }))
}
