import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface CertificateFiles {
  readonly certPem: string
  readonly keyPem: string
  readonly certFile: string
  readonly keyFile: string
}

export interface CertificateOptions {
  /** DNS names (also `*.` wildcards) and addresses; the first is the common name too. */
  readonly names: readonly string[]
  /** From now; 30 by default. */
  readonly days?: number
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** Was valid until yesterday. */
  readonly expired?: boolean
  /** False: the name stands in the common name alone. */
  readonly alternativeNames?: boolean
  /** `weak-rsa` is too short for TLS. */
  readonly keyType?: keyof typeof KEY_TYPES
  /** Encrypts the key. */
  readonly passphrase?: string
}

const DAY_MS = 86_400_000

const KEY_TYPES = {
  ec: ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'weak-rsa': ['RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
} as const

// One directory for the process: tests make certificates by the dozen, also outside of any test.
const root = mkdtempSync(join(tmpdir(), 'pyserve-certificates-'))
process.once('exit', () => rmSync(root, { recursive: true, force: true }))

/** A self-signed certificate; `ca: certPem` makes a client trust it. */
export function createCertificate(options: CertificateOptions): CertificateFiles {
  return sign(options, undefined)
}

/** A certificate authority of its own; `ca: authority.certPem` makes a client trust what it issues. */
export function createAuthority(name = 'pyserve test authority'): CertificateFiles {
  return sign({ names: [name], alternativeNames: false, days: 365 }, 'self')
}

export function issueCertificate(authority: CertificateFiles, options: CertificateOptions): CertificateFiles {
  return sign(options, authority)
}

function sign(options: CertificateOptions, authority: CertificateFiles | 'self' | undefined): CertificateFiles {
  const directory = mkdtempSync(join(root, 'pair-'))
  const at = (name: string) => join(directory, name)
  const keyFile = at('key.pem')
  const certFile = at('cert.pem')
  const plainKeyFile = createKey(directory, options)
  run(directory, ['req', '-new', '-key', plainKeyFile, '-subj', `/CN=${options.names[0] ?? ''}`, '-out', 'request.pem'])
  writeFileSync(at('index.txt'), '')
  writeFileSync(at('ca.conf'), AUTHORITY_CONFIG)
  writeFileSync(at('extensions.conf'), describeExtensions(options, authority === 'self'))
  const { from, until } = chooseValidity(options)
  const signer =
    typeof authority === 'object'
      ? ['-cert', authority.certFile, '-keyfile', authority.keyFile]
      : ['-selfsign', '-keyfile', plainKeyFile]
  // `openssl ca` is the one command of OpenSSL 3.0 that takes both ends of the validity.
  run(directory, [
    ...['ca', '-config', 'ca.conf', '-batch', '-notext', '-rand_serial', '-in', 'request.pem', '-out', certFile],
    ...['-startdate', formatTime(from), '-enddate', formatTime(until), '-extfile', 'extensions.conf', ...signer],
  ])
  return { certFile, keyFile, certPem: readFileSync(certFile, 'utf8'), keyPem: readFileSync(keyFile, 'utf8') }
}

/** Leaves the key to be used as `key.pem`; returns the file of the same key without encryption. */
function createKey(directory: string, { keyType = 'ec', passphrase }: CertificateOptions): string {
  const plain = passphrase === undefined ? 'key.pem' : 'plain.pem'
  run(directory, ['genpkey', '-quiet', '-algorithm', ...KEY_TYPES[keyType], '-out', plain])
  if (passphrase !== undefined) {
    run(directory, ['pkcs8', '-topk8', '-in', plain, '-out', 'key.pem', '-passout', `pass:${passphrase}`])
  }
  return join(directory, plain)
}

function chooseValidity({ days = 30, notBefore, notAfter, expired = false }: CertificateOptions) {
  const nowMs = Date.now()
  const from = notBefore ?? new Date(nowMs - (expired ? 30 : 1) * DAY_MS)
  const until = notAfter ?? new Date(nowMs + (expired ? -1 : days) * DAY_MS)
  return { from, until }
}

function describeExtensions({ names, alternativeNames = true }: CertificateOptions, isAuthority: boolean): string {
  const lines = isAuthority
    ? ['basicConstraints = critical, CA:TRUE', 'keyUsage = critical, keyCertSign, cRLSign']
    : ['basicConstraints = CA:FALSE']
  const alternatives = names.map((name) => (isIP(name) === 0 ? `DNS:${name}` : `IP:${name}`))
  if (alternativeNames) lines.push(`subjectAltName = ${alternatives.join(', ')}`)
  return `${lines.join('\n')}\n`
}

function formatTime(date: Date): string {
  return date.toISOString().replace(/\.\d+/, '').replaceAll(/[-:T]/g, '')
}

function run(directory: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 })
}

const AUTHORITY_CONFIG = `[ca]
default_ca = authority
[authority]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
`
