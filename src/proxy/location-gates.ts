import type { LocationConfig } from '../config/location-config.ts'
import { isPathWithin } from '../path-prefix.ts'
import { escapePath } from '../routing/path.ts'
import { parseRequestTarget } from '../routing/request-target.ts'
import { createBasicAuthGate } from './basic-auth-gate.ts'
import type { Gate } from './gate.ts'

interface Location {
  /** In the form in which paths are compared. */
  readonly path: string
  readonly gate: Gate
}

/** Compiles PyServe's locations; what it returns takes a route's path and gives what its requests have to pass. */
export function compileLocations(configs: readonly LocationConfig[]): (route: string) => Gate | undefined {
  const locations = configs
    .map(({ path, basicAuth }) => ({ path: toMatchPath(path), gate: createBasicAuthGate(basicAuth) }))
    .toSorted((a, b) => b.path.length - a.path.length)
  return (route) => {
    const path = toMatchPath(route)
    const around = locations.find((location) => isPathWithin(path, location.path))
    const below = locations.filter((location) => location !== around && isPathWithin(location.path, path))
    if (below.length === 0) return around?.gate
    return createLongestGate(around === undefined ? below : [...below, around])
  }
}

/** Of several the one with the longest path asks. */
function createLongestGate(locations: readonly Location[]): Gate {
  return {
    enter(arrival) {
      const target = parseRequestTarget(arrival.head.target)
      const path = target.kind === 'path' ? target.matchPath : '/'
      const plain = readPlainly(path)
      const location = locations.find(({ path: prefix }) => isPathWithin(path, prefix) || isPathWithin(plain, prefix))
      return location?.gate.enter(arrival)
    },
  }
}

/** The path as backends may read it that decode a slash, or take the parameters off a segment. */
function readPlainly(path: string): string {
  if (!path.includes('%2F') && !path.includes(';')) return path
  return path
    .replaceAll('%2F', '/')
    .replaceAll(/;[^/]*/g, '')
    .replaceAll(/\/{2,}/g, '/')
}

function toMatchPath(path: string): string {
  const target = parseRequestTarget(escapePath(path))
  if (target.kind === 'path') return target.matchPath
  throw new Error(`location ${JSON.stringify(path)} is not a path`)
}
