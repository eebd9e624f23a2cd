import type { z } from 'zod'
import { filledText, flag, wholeNumber, word } from './scalars.ts'
import { list, map, section } from './section.ts'
import { roll } from './traits.ts'

const pairSchema = map({
  cert_file: filledText().meta(roll('file', 'Certificate, with its chain.')),
  key_file: filledText().meta(roll('file', 'Its key.')),
})

export const sslSchema = section({
  enabled: flag().prefault(false).meta(roll('boolean', 'Speak TLS to clients.')),
  cert_file: filledText()
    .optional()
    .meta(roll('file', 'Certificate, with its chain.', './ssl/cert.pem')),
  key_file: filledText()
    .optional()
    .meta(roll('file', 'Its key.', './ssl/key.pem')),
  port: wholeNumber(0, 65_535)
    .optional()
    .meta(roll('port', 'Port for HTTPS beside HTTP on server.port.', 'server.port speaks HTTPS alone')),
  redirect_http: flag().prefault(false).meta(roll('boolean', 'Redirect plain requests to ssl.port.')),
  min_version: word({ 'TLSv1.2': 'TLSv1.2', 'TLSv1.3': 'TLSv1.3' })
    .prefault('TLSv1.2')
    .meta(roll('TLSv1.2 or TLSv1.3', 'Oldest version of TLS.')),
  certificates: list(pairSchema).meta(
    roll('list of pairs', 'Further certificates, chosen by the name that is asked for.'),
  ),
})

export type SslSettings = z.output<typeof sslSchema>
