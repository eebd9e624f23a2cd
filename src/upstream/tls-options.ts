import { isIP } from 'node:net'
import { type ConnectionOptions, checkServerIdentity, createSecureContext } from 'node:tls'
import type { BackendTls } from '../config/config.ts'

/**
 * Options for a TLS connection to a backend. Its name is the configured one and never that of the Host field.
 * Throws where a certificate or key cannot be used.
 */
export function createTlsOptions(host: string, tls: BackendTls): ConnectionOptions {
  const name = tls.serverName ?? host
  return {
    // RFC 6066 §3: an address is no server name.
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    rejectUnauthorized: tls.verify,
    secureContext: createSecureContext({ ca: tls.caPem, cert: tls.certPem, key: tls.keyPem }),
    ALPNProtocols: ['http/1.1'],
  }
}
