import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

const DAY_MS = 86_400_000
const WARNING_DAYS = 14

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

/** What is wrong with a certificate or its key; `message` goes after the name of the file. */
export interface PairFinding {
  readonly part: 'cert' | 'key'
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly hint?: string
}

export interface CheckedPair {
  /** Host names that the certificate is for, lower case, `*.` for wildcards. */
  readonly names: readonly string[]
  readonly findings: readonly PairFinding[]
}

/** Whether a TLS server or client can use the two together, now. */
export function checkPair(certPem: string, keyPem: string, nowMs: number): CheckedPair {
  const chain = parseCertificates(certPem)
  const key = parseKey(keyPem)
  if (isFinding(chain) || isFinding(key)) {
    const areSwapped =
      /PRIVATE KEY-----/.test(certPem) && /CERTIFICATE-----/.test(keyPem) && !/PRIVATE KEY-----/.test(keyPem)
    const hint = areSwapped ? { hint: 'certificate and key may have changed places' } : {}
    return { names: [], findings: [chain, key].filter(isFinding).map((finding) => ({ ...hint, ...finding })) }
  }
  const [leaf] = chain
  const findings = [...checkMatch(chain, key), ...checkValidity(leaf, nowMs)]
  if (!findings.some(({ severity }) => severity === 'error')) findings.push(...checkUse(certPem, keyPem))
  return { names: readNames(leaf), findings }
}

/** What is wrong with a file of authorities; undefined where each can be used. */
export function findAuthorityFault(pem: string): string | undefined {
  const certificates = parseCertificates(pem)
  return isFinding(certificates) ? certificates.message : undefined
}

type Chain = readonly [X509Certificate, ...X509Certificate[]]

function parseCertificates(pem: string): Chain | PairFinding {
  const blocks = pem.match(CERTIFICATE) ?? []
  try {
    const [first, ...rest] = blocks.map((block) => new X509Certificate(block))
    return first === undefined ? refuse('cert', 'has no certificate in PEM form') : [first, ...rest]
  } catch (error) {
    return refuse('cert', `has a certificate that cannot be read: ${messageOf(error)}`)
  }
}

function parseKey(pem: string): KeyObject | PairFinding {
  if (/ENCRYPTED/.test(pem)) {
    return { ...refuse('key', 'is encrypted'), hint: 'decrypt it: openssl pkey -in encrypted.pem -out key.pem' }
  }
  if (!/PRIVATE KEY-----/.test(pem)) return refuse('key', 'has no private key in PEM form')
  try {
    return createPrivateKey(pem)
  } catch (error) {
    return refuse('key', `has a private key that cannot be read: ${messageOf(error)}`)
  }
}

function checkMatch(chain: Chain, key: KeyObject): PairFinding[] {
  const [leaf, ...rest] = chain
  if (leaf.checkPrivateKey(key)) return []
  const isLater = rest.some((certificate) => certificate.checkPrivateKey(key))
  const hint = isLater ? { hint: 'the certificate of the key comes first, then those that vouch for it' } : {}
  return [{ ...refuse('key', 'does not belong to the certificate'), ...hint }]
}

function checkValidity({ validFromDate, validToDate }: X509Certificate, nowMs: number): PairFinding[] {
  if (nowMs < validFromDate.getTime()) return [refuse('cert', `is not valid before ${validFromDate.toISOString()}`)]
  const leftMs = validToDate.getTime() - nowMs
  if (leftMs <= 0) return [refuse('cert', `expired at ${validToDate.toISOString()}`)]
  if (leftMs > WARNING_DAYS * DAY_MS) return []
  const message = `expires within ${WARNING_DAYS} days, at ${validToDate.toISOString()}`
  return [{ part: 'cert', severity: 'warning', message }]
}

/** Weak keys and digests are refused by TLS, not by the parsers. */
function checkUse(cert: string, key: string): PairFinding[] {
  try {
    createSecureContext({ cert, key })
    return []
  } catch (error) {
    return [refuse('cert', `cannot be used for TLS: ${messageOf(error)}`)]
  }
}

/** RFC 6125 §6.4.4: the common name counts only where there is no alternative name of a host. */
function readNames(certificate: X509Certificate): string[] {
  const alternatives = [...(certificate.subjectAltName ?? '').matchAll(/(?:^|, )DNS:([^",]+)/g)].map(
    ([, name = '']) => name,
  )
  const [, commonName = ''] = /^CN=(.+)$/m.exec(certificate.subject) ?? []
  const names = alternatives.length > 0 ? alternatives : [commonName]
  return [...new Set(names.map((name) => name.toLowerCase()).filter((name) => /^[\w*.-]+$/.test(name)))]
}

function refuse(part: PairFinding['part'], message: string): PairFinding {
  return { part, severity: 'error', message }
}

function isFinding(result: Chain | KeyObject | PairFinding): result is PairFinding {
  return 'severity' in result
}

function messageOf(error: unknown): string {
  const { message, reason } = error as { message: string; reason?: string }
  return reason ?? message
}
