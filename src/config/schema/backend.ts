import { z } from 'zod'
import { balancingShape } from './balancing.ts'
import { healthShape } from './health.ts'
import { host, serviceName } from './names.ts'
import { filledText, flag, wholeNumber } from './scalars.ts'
import { map } from './section.ts'
import { swap } from './traits.ts'

export const backendTlsSchema = map({
  verify: flag().prefault(true).meta(swap('boolean', "Check the backend's certificate.")),
  ca_file: filledText()
    .optional()
    .meta(swap('file', 'Authorities to check it against.', "the system's")),
  server_name: host()
    .optional()
    .meta(swap('host', 'Name in SNI and in the certificate.', "the backend's host")),
  cert_file: filledText().optional().meta(swap('file', 'Certificate that is shown to the backend.')),
  key_file: filledText().optional().meta(swap('file', 'Its key.')),
})

/** Where a backend is. */
export const backendShape = {
  port: wholeNumber(1, 65_535)
    .optional()
    .meta(swap('port', "The backend's port.", '80, or 443 with ssl')),
  ssl: z
    .union([flag(), backendTlsSchema], { error: 'true, false, or a map of settings' })
    .prefault(false)
    .meta(swap('boolean or map', 'TLS to the backend.')),
}

const memberSchema = map({
  host: host().optional().meta(swap('host', "The backend's name or address.")),
  srv: serviceName().optional().meta(swap('name', 'A service whose SRV records tell hosts, ports and weights.')),
  ...backendShape,
  weight: wholeNumber(0, 65_535)
    .optional()
    .meta(swap('number', 'Its share of the requests; 0 takes no new ones.', '`1`')),
  backup: flag().prefault(false).meta(swap('boolean', 'Ask it only where no other is available.')),
})

const NO_MEMBERS = 'a list with at least one backend'

/** Several backends. */
export function members() {
  return z.array(memberSchema, { error: NO_MEMBERS }).min(1, { error: NO_MEMBERS })
}

/** A named group of backends. */
export const upstreamSchema = map({
  backends: members().meta(swap('list of backends', 'The backends of the group.')),
  ...balancingShape,
  ...healthShape,
})

export type BackendTlsSettings = z.output<typeof backendTlsSchema>
export type MemberSettings = z.output<typeof memberSchema>
export type UpstreamSettings = z.output<typeof upstreamSchema>
