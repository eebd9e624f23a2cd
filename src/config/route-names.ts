import type { RouteSettings } from './schema/route.ts'

/**
 * The routes' own names, or names made of domains and path, with the methods where several routes share those. Unique,
 * as long as no two routes take the same requests.
 */
export function nameRoutes(routes: readonly RouteSettings[]): string[] {
  const taken = new Set(routes.flatMap(({ name }) => (name === undefined ? [] : [name])))
  const shared = new Map<string, number>()
  for (const route of routes) shared.set(describePlace(route), (shared.get(describePlace(route)) ?? 0) + 1)
  return routes.map((route) => {
    if (route.name !== undefined) return route.name
    const place = describePlace(route)
    const isShared = (shared.get(place) ?? 0) > 1
    const methods = isShared && route.methods.length > 0 ? ` ${route.methods.join(',')}` : ''
    return takeName(place + methods, taken)
  })
}

function describePlace({ domains, path }: RouteSettings): string {
  return `${domains.join(',')}${path}`
}

function takeName(wanted: string, taken: Set<string>): string {
  let name = wanted
  for (let n = 2; taken.has(name); n++) name = `${wanted} (${n})`
  taken.add(name)
  return name
}
