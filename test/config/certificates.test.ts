import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPair, findAuthorityFault } from '../../src/config/certificates.ts'
import { createAuthority, createCertificate, issueCertificate } from '../helpers/certificates.ts'

const DAY_MS = 86_400_000

const nowMs = Date.now()
const sound = createCertificate({ names: ['Example.com', '*.example.com', '127.0.0.1', 'example.com'] })
const other = createCertificate({ names: ['other.com'] })

function describe(certPem: string, keyPem: string): string[] {
  return checkPair(certPem, keyPem, nowMs).findings.map(({ part, severity, message, hint }) =>
    [
      `${part} ${severity} ${message.replace(/\d{4}-\d\d-\d\dT\S+/, 'TIME')}`,
      ...(hint === undefined ? [] : [hint]),
    ].join(' | '),
  )
}

test('a sound pair has no findings, and the host names of its certificate', () => {
  assert.deepEqual(checkPair(sound.certPem, sound.keyPem, nowMs), {
    names: ['example.com', '*.example.com'],
    findings: [],
  })
})

test('the common name counts where there is no other', () => {
  const { certPem, keyPem } = createCertificate({ names: ['Old.example'], alternativeNames: false })
  assert.deepEqual(checkPair(certPem, keyPem, nowMs).names, ['old.example'])
})

test('an RSA pair and a pair with its chain are sound', () => {
  const rsa = createCertificate({ names: ['a'], keyType: 'rsa' })
  assert.deepEqual(describe(rsa.certPem, rsa.keyPem), [])
  const authority = createAuthority()
  const issued = issueCertificate(authority, { names: ['a.com'] })
  assert.deepEqual(describe(`${issued.certPem}${authority.certPem}`, issued.keyPem), [])
})

for (const { name, cert, key, findings } of [
  {
    name: 'a key of another certificate is an error',
    cert: sound.certPem,
    key: other.keyPem,
    findings: ['key error does not belong to the certificate'],
  },
  {
    name: 'a chain in the wrong order is an error that says so',
    cert: other.certPem + sound.certPem,
    key: sound.keyPem,
    findings: [
      'key error does not belong to the certificate | the certificate of the key comes first, then those that vouch for it',
    ],
  },
  {
    name: 'files that changed places are told so',
    cert: sound.keyPem,
    key: sound.certPem,
    findings: [
      'cert error has no certificate in PEM form | certificate and key may have changed places',
      'key error has no private key in PEM form | certificate and key may have changed places',
    ],
  },
  {
    name: 'empty files are errors',
    cert: '',
    key: '',
    findings: ['cert error has no certificate in PEM form', 'key error has no private key in PEM form'],
  },
]) {
  test(name, () => assert.deepEqual(describe(cert, key), findings))
}

test('an expired certificate is an error', () => {
  const { certPem, keyPem } = createCertificate({ names: ['a.com'], expired: true })
  assert.deepEqual(describe(certPem, keyPem), ['cert error expired at TIME'])
})

test('a certificate of the future is an error', () => {
  const notBefore = new Date(nowMs + DAY_MS)
  const { certPem, keyPem } = createCertificate({ names: ['a.com'], notBefore })
  assert.deepEqual(describe(certPem, keyPem), ['cert error is not valid before TIME'])
})

test('a certificate that expires within 14 days is a warning', () => {
  const soon = createCertificate({ names: ['a.com'], days: 13 })
  assert.deepEqual(describe(soon.certPem, soon.keyPem), ['cert warning expires within 14 days, at TIME'])
  const later = createCertificate({ names: ['a.com'], days: 15 })
  assert.deepEqual(describe(later.certPem, later.keyPem), [])
})

test('an encrypted key is an error that says what to do', () => {
  const { certPem, keyPem } = createCertificate({ names: ['a.com'], passphrase: 'secret' })
  assert.deepEqual(describe(certPem, keyPem), [
    'key error is encrypted | decrypt it: openssl pkey -in encrypted.pem -out key.pem',
  ])
})

test('a damaged certificate and a damaged key are errors', () => {
  const damage = (pem: string) => pem.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA')
  const [cert = '', key = ''] = describe(damage(sound.certPem), damage(sound.keyPem))
  assert.match(cert, /^cert error has a certificate that cannot be read: /)
  assert.match(key, /^key error has a private key that cannot be read: /)
})

test('what TLS itself refuses is an error', () => {
  const weak = createCertificate({ names: ['a.com'], keyType: 'weak-rsa' })
  assert.deepEqual(describe(weak.certPem, weak.keyPem), ['cert error cannot be used for TLS: ee key too small'])
})

test('authorities are certificates in PEM form', () => {
  assert.equal(findAuthorityFault(sound.certPem + other.certPem), undefined)
  assert.equal(findAuthorityFault('nothing'), 'has no certificate in PEM form')
})
