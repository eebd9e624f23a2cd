import { createSecureContext, type SecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import type { TlsConfig } from '../config/config.ts'

export type SecureServerOptions = SecureContextOptions & TlsOptions

const TICKET_KEY_BYTES = 48

/**
 * The server's side of TLS; the context of every pair is built here, once. `ticketKeys` are 48 bytes in base64 that all
 * workers share; a handshake takes `handshakeMs` at most, 0: Node's two minutes. Throws where a pair cannot be used.
 */
export function createTlsOptions(tls: TlsConfig, ticketKeys: string, handshakeMs: number): SecureServerOptions {
  const keys = Buffer.from(ticketKeys, 'base64')
  if (keys.length !== TICKET_KEY_BYTES)
    throw new Error(`ticket keys have ${keys.length} bytes, not ${TICKET_KEY_BYTES}`)
  const [first, ...others] = tls.certificates
  if (first === undefined) throw new Error('there is no certificate')
  const common = {
    minVersion: tls.minVersion,
    ticketKeys: keys,
    // A session belongs to a context of this name: it must not differ between workers.
    sessionIdContext: 'pyserve',
  }
  const contexts = new Map<string, SecureContext | undefined>(first.names.map((name) => [name, undefined]))
  for (const pair of others) {
    const context = createSecureContext({ ...common, cert: pair.certPem, key: pair.keyPem })
    for (const name of pair.names) if (!contexts.has(name)) contexts.set(name, context)
  }
  return {
    ...common,
    cert: first.certPem,
    key: first.keyPem,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: handshakeMs,
    SNICallback: (serverName, answer) => answer(null, chooseContext(contexts, serverName.toLowerCase())),
  }
}

/** The exact name, else the wildcard of its parent (one label, RFC 9525 §6.3); undefined: the server's own, the first. */
function chooseContext(
  contexts: ReadonlyMap<string, SecureContext | undefined>,
  name: string,
): SecureContext | undefined {
  if (contexts.has(name)) return contexts.get(name)
  const dot = name.indexOf('.')
  return dot === -1 ? undefined : contexts.get(`*${name.slice(dot)}`)
}
