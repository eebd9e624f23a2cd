import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { ClientAddress, RequestHead } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import { intern } from '../intern.ts'
import { isAuthority, parseAuthority } from '../routing/authority.ts'
import { resolveDotSegments } from '../routing/path.ts'
import { defaultPort } from '../upstream/backend-authority.ts'
import { compileRanges } from './address-ranges.ts'
import { compileFieldTable, findField } from './headers/field-table.ts'
import { isRequestId } from './headers/request-id.ts'

/** Who may say whom a connection is made for. */
export interface Trust {
  /** `address` as a socket or X-Forwarded-For has it; false for what is no address. */
  isTrusted(address: string): boolean
}

/** Who asks, and how, after trusted proxies are taken into account. Everything in it may be sent on. */
export interface ClientIdentity {
  /** Of the first proxy, from us outwards, that is not trusted; '' where the socket had closed already. */
  readonly address: string
  /** The peer is a trusted proxy: what it claims is believed. */
  readonly trustedPeer: boolean
  /** The X-Forwarded-For to send: the trusted peer's list and its address, else the peer's address alone. */
  readonly forwardedFor: string
  /** Of the client's own connection; a WebSocket counts as what it was upgraded from. */
  readonly proto: 'http' | 'https'
  /** The authority that the client used; '' where it named none. */
  readonly host: string
  /** The port that the client used. */
  readonly port: string
  /** What proxies before us stripped; '' where they did not. */
  readonly prefix: string
  /** A trusted peer's request id. */
  readonly requestId: string | undefined
}

type ClaimName = 'for' | 'host' | 'port' | 'prefix' | 'proto' | 'id'
type Claims = Partial<Record<ClaimName, string>>

/** More proxies in a row than anyone has. */
const MAX_HOPS = 64
const MAPPED_PREFIX = '::ffff:'

const CLAIM_FIELDS = compileFieldTable(
  new Map<string, ClaimName>([
    ['x-forwarded-for', 'for'],
    ['x-forwarded-host', 'host'],
    ['x-forwarded-port', 'port'],
    ['x-forwarded-prefix', 'prefix'],
    ['x-forwarded-proto', 'proto'],
    ['x-request-id', 'id'],
  ]),
)

/** Takes addresses and CIDRs; undefined where nobody is trusted. Throws for what is neither. */
export function compileTrust(cidrs: readonly string[]): Trust | undefined {
  if (cidrs.length === 0) return undefined
  const ranges = compileRanges(cidrs)
  return { isTrusted: (address) => ranges.has(address) }
}

/** Reads no header unless the peer is trusted. */
export function resolveClient(trust: Trust | undefined, client: ClientAddress, head: RequestHead): ClientIdentity {
  const peer = normalizeAddress(client.remoteAddress)
  if (trust?.isTrusted(peer)) return resolveClaims(trust, client, peer, head)
  return {
    address: peer,
    trustedPeer: false,
    forwardedFor: peer,
    proto: client.encrypted ? 'https' : 'http',
    host: head.authority,
    port: String(client.localPort),
    prefix: '',
    requestId: undefined,
  }
}

/** The address without zone; IPv4 as such where a dual-stack socket tells it as IPv6 (RFC 4291 §2.5.5.2). */
export function normalizeAddress(address: string): string {
  if (!address.includes(':')) return address
  const zone = address.indexOf('%')
  const bare = zone === -1 ? address : address.slice(0, zone)
  return bare.startsWith(MAPPED_PREFIX) && bare.includes('.') ? bare.slice(MAPPED_PREFIX.length) : bare
}

function resolveClaims(trust: Trust, client: ClientAddress, peer: string, head: RequestHead): ClientIdentity {
  const claims = readClaims(head.headers)
  const list = claims.for ?? ''
  const proto = parseProto(lastOf(claims.proto))
  const claimedHost = lastOf(claims.host)
  const hostIsClaimed = isAuthority(claimedHost)
  const host = hostIsClaimed ? claimedHost : head.authority
  return {
    address: findClient(trust, list, peer),
    trustedPeer: true,
    forwardedFor: list === '' ? peer : `${list}, ${peer}`,
    proto: proto ?? (client.encrypted ? 'https' : 'http'),
    host,
    port: parsePort(lastOf(claims.port)) ?? String(impliedPort(proto, hostIsClaimed, host) ?? client.localPort),
    prefix: parsePrefix(claims.prefix ?? ''),
    requestId: claims.id !== undefined && isRequestId(claims.id) ? claims.id : undefined,
  }
}

/** Several fields of one name are one list (RFC 9110 §5.3). */
function readClaims(headers: HeaderList): Claims {
  const claims: Claims = {}
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = findField(CLAIM_FIELDS, headers[i] ?? '')
    const value = headers[i + 1]
    if (name === undefined || value === undefined || value === '') continue
    const before = claims[name]
    claims[name] = before === undefined ? value : `${before}, ${value}`
  }
  return claims
}

/** Walks the list from the right: each trusted proxy vouches for the entry before its own. */
function findClient(trust: Trust, list: string, peer: string): string {
  let address = peer
  let end = list.length
  for (let hop = 0; hop < MAX_HOPS && end > 0; hop++) {
    const comma = list.lastIndexOf(',', end - 1)
    const entry = parseEntry(list.slice(comma + 1, end).trim())
    if (entry === undefined) return address
    address = entry
    if (!trust.isTrusted(address)) return address
    end = comma
  }
  return address
}

/** An address, with or without port; undefined for anything else, `unknown` and RFC 7239 §6.3 identifiers included. */
function parseEntry(text: string): string | undefined {
  const address = isIP(text) === 0 ? (parseAuthority(text)?.host ?? '') : text
  return isIP(address) === 0 ? undefined : intern(ipaddr.process(normalizeAddress(address)).toString())
}

/** The peer itself wrote the last one; those before it may be the client's. */
function lastOf(list: string | undefined): string {
  return list === undefined ? '' : list.slice(list.lastIndexOf(',') + 1).trim()
}

function parseProto(text: string): 'http' | 'https' | undefined {
  const proto = text.toLowerCase()
  if (proto === 'https' || proto === 'wss') return 'https'
  return proto === 'http' || proto === 'ws' ? 'http' : undefined
}

function parsePort(text: string): string | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port > 0 && port <= 65535 ? String(port) : undefined
}

/** A proxy that tells scheme or host but no port means the port of its own URL, not ours. */
function impliedPort(proto: 'http' | 'https' | undefined, hostIsClaimed: boolean, host: string): number | undefined {
  if (proto === undefined && !hostIsClaimed) return undefined
  return parseAuthority(host)?.port ?? (proto === undefined ? undefined : defaultPort(proto))
}

/** One path without a trailing slash; with an empty segment it could be read as a host in a redirect. */
function parsePrefix(text: string): string {
  if (!/^(?:\/[\w\-.~%!$&'()*+=:@]+)+\/?$/.test(text) || resolveDotSegments(text, 'refuse') !== text) return ''
  return text.endsWith('/') ? text.slice(0, -1) : text
}
