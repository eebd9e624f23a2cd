import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { formatHost } from '../../address.ts'
import { type Refusal, refuse, scalar } from './scalars.ts'

const HOST = 'a host name or an IP address'
const DOMAIN = 'a host name such as api.example.com, or *.example.com'
const CIDR = 'an address range such as 10.0.0.0/8 or fd00::/8, or one address'
const SERVICE = 'the name of a service such as _http._tcp.example.com'
const NAME_SERVER = 'an address such as 10.0.0.2, 10.0.0.2:5353 or [fd00::2]:53'
const METHOD = 'an HTTP method such as GET'
const FIELD_NAME = 'a header name of letters, digits and hyphens'
const FIELD_VALUE = 'a header value of visible characters and spaces'

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i
/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** RFC 9110 §5.5, in the characters that Node can write: each is one byte. */
const FIELD_CHARACTERS = /^[\t\x20-\x7e\x80-\xff]*$/

/** A host name or an address, IPv6 without brackets. Names outside of ASCII become punycode. */
export function host() {
  return scalar(z.string({ error: HOST }), parseHost)
}

/** The name of a service that has SRV records. */
export function serviceName() {
  return scalar(z.string({ error: SERVICE }), (value) => parseHostName(value)?.toLowerCase() ?? refuse(SERVICE))
}

/** An address, with or without port; IPv6 with a port in brackets. */
export function nameServer() {
  return scalar(z.string({ error: NAME_SERVER }), (value) => {
    const [, bracketed, plain = value, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(value) ?? []
    const address = bracketed ?? plain
    const isValid = isIP(address) !== 0 && (port === undefined || (Number(port) > 0 && Number(port) < 65_536))
    if (!isValid) return refuse(NAME_SERVER)
    return port === undefined ? address : `${formatHost(address)}:${port}`
  })
}

/** Lower case; exact or `*.` wildcard. */
export function domain() {
  return scalar(z.string({ error: DOMAIN }), parseDomain)
}

/** With its prefix length, also where one address was given. */
export function cidr() {
  return scalar(z.string({ error: CIDR }), (value) => {
    const [address = '', prefix] = value.split('/')
    const family = isIP(address)
    if (family === 0 || address.includes('%')) return refuse(CIDR)
    const range = prefix === undefined ? `${address}/${family === 4 ? 32 : 128}` : value
    return ipaddr.isValidCIDR(range) ? range : refuse(CIDR)
  })
}

export function method() {
  return scalar(z.string({ error: METHOD }), (value) => (TOKEN.test(value) ? value.toUpperCase() : refuse(METHOD)))
}

export function fieldName() {
  return scalar(z.string({ error: FIELD_NAME }), (value) => (isFieldName(value) ? value : refuse(FIELD_NAME)))
}

export function isFieldName(text: string): boolean {
  return TOKEN.test(text)
}

/** A text; a number or a switch stands for its own name. */
export function fieldValue() {
  const input = z.union([z.string(), z.number(), z.boolean()], { error: FIELD_VALUE })
  return scalar(input, (value) => {
    const trimmed = String(value).replace(/^[ \t]+|[ \t]+$/g, '')
    return FIELD_CHARACTERS.test(trimmed) ? trimmed : refuse(FIELD_VALUE)
  })
}

/** As `host`, for what has a host in it. */
export function parseHost(value: string): string | Refusal {
  const [, literal] = /^\[(.*)\]$/.exec(value) ?? []
  if (literal !== undefined) return isIP(literal) === 6 ? literal : refuse(HOST)
  return isIP(value) === 0 ? (parseHostName(value) ?? refuse(HOST, hintForHost(value))) : value
}

function parseDomain(value: string): string | Refusal {
  const isWildcard = value.startsWith('*.')
  const name = (isWildcard ? value.slice(2) : value).replace(/\.$/, '')
  const isAddress = !isWildcard && isIP(name) === 4
  const parsed = isAddress ? name : parseHostName(name)
  if (parsed === undefined) return refuse(DOMAIN, value === '*' ? 'leave domains out for any host' : hintForHost(value))
  return (isWildcard ? '*.' : '') + parsed.toLowerCase()
}

function parseHostName(value: string): string | undefined {
  const isAscii = /^[\x20-\x7e]*$/.test(value)
  const name = isAscii ? value : domainToASCII(value)
  const labels = name.replace(/\.$/, '').split('.')
  if (name.length > 253 || !labels.every((label) => LABEL.test(label))) return undefined
  // A name that ends in digits is an address with a mistake in it: resolvers disagree about what it means.
  return /^\d+$/.test(labels.at(-1) ?? '') ? undefined : name
}

function hintForHost(value: string): string | undefined {
  if (value === '*') return 'write 0.0.0.0 or :: for every address'
  const [, scheme, name = '', port, path] = /^([a-z][a-z0-9+.-]*:\/\/)?([^:/]*)(:\d+)?(\/.*)?$/i.exec(value) ?? []
  if (parseHostName(name) === undefined && isIP(name) === 0) return undefined
  if (scheme !== undefined || path !== undefined) return `leave only the name: "${name}"`
  return port === undefined ? undefined : `the port has its own key: "${name}"`
}
