import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeBackend } from '../../src/upstream/backend-authority.ts'

const tls = { verify: true, serverName: undefined, caPem: undefined, certPem: undefined, keyPem: undefined }

for (const { name, host, port, secure, field } of [
  { name: 'the default port of http is left out', host: 'a.internal', port: 80, secure: false, field: 'a.internal' },
  { name: 'the default port of https is left out', host: 'a.internal', port: 443, secure: true, field: 'a.internal' },
  {
    name: 'the port of the other scheme is named',
    host: 'a.internal',
    port: 443,
    secure: false,
    field: 'a.internal:443',
  },
  { name: 'another port is named', host: 'a.internal', port: 3000, secure: true, field: 'a.internal:3000' },
  { name: 'an IPv6 address is in brackets', host: '::1', port: 80, secure: false, field: '[::1]' },
  { name: 'an IPv6 address with a port', host: '2001:db8::1', port: 3000, secure: false, field: '[2001:db8::1]:3000' },
  { name: 'a zone does not leave', host: 'fe80::1%eth0', port: 3000, secure: false, field: '[fe80::1]:3000' },
]) {
  test(name, () => {
    assert.equal(describeBackend({ host, port, tls: secure ? tls : undefined }).hostField, field)
  })
}
