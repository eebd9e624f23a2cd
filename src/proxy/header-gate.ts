import type { RouteConfig } from '../config/config.ts'
import type { HeaderVariable, TemplatePart } from '../header-template.ts'
import type { Arrival } from './arrival.ts'
import type { Gate } from './gate.ts'
import { compileHeaderRules, type HeaderTemplate } from './headers/header-rules.ts'

type Rules = Pick<RouteConfig, 'name' | 'headers'>

/** Gives each exchange the fields whose values depend on it; undefined where a route has none. */
export function createHeaderGate({ name, headers }: Rules): Gate | undefined {
  const { templates: forRequest } = compileHeaderRules(headers.request)
  const { templates: forResponse } = compileHeaderRules(headers.response)
  if (forRequest.length + forResponse.length === 0) return undefined
  return {
    enter(arrival) {
      if (forRequest.length > 0) arrival.requestFields = fill(forRequest, arrival.requestFields, arrival, name)
      if (forResponse.length > 0) arrival.responseFields = fill(forResponse, arrival.responseFields, arrival, name)
      return undefined
    },
  }
}

function fill(
  templates: readonly HeaderTemplate[],
  before: readonly string[],
  arrival: Arrival,
  route: string,
): string[] {
  const fields = [...before]
  for (const { name, parts } of templates) {
    fields.push(name, parts.map((part) => render(part, arrival, route)).join(''))
  }
  return fields
}

function render(part: TemplatePart, arrival: Arrival, route: string): string {
  return typeof part === 'string' ? part : resolve(part.variable, arrival, route)
}

/** Nothing of it can end a line: a listener lets no control byte through. */
function resolve(variable: HeaderVariable, { head, identity, log }: Arrival, route: string): string {
  const { target } = head
  const queryAt = target.indexOf('?')
  switch (variable) {
    case 'client_ip':
      return identity.address
    case 'host':
      return identity.host
    case 'method':
      return head.method
    case 'path':
      return queryAt === -1 ? target : target.slice(0, queryAt)
    case 'query':
      return queryAt === -1 ? '' : target.slice(queryAt + 1)
    case 'request_id':
      return log.requestId
    case 'route':
      return Buffer.from(route, 'utf8').toString('latin1')
    case 'scheme':
      return identity.proto
  }
}
