import { type CheckedPair, checkPair, findAuthorityFault } from './certificates.ts'
import type { FileContent } from './files.ts'
import type { NamedFile, NamedPair } from './named-files.ts'
import type { Report } from './report.ts'

export interface PairContent {
  readonly certPem: string
  readonly keyPem: string
  readonly names: readonly string[]
}

/** Takes certificates and keys from what was read; what cannot be used is reported at the key that names it. */
export interface PemReader {
  /** Undefined where either cannot be used. */
  readPair(pair: NamedPair): PairContent | undefined
  readAuthorities(named: NamedFile): string | undefined
}

export function createPemReader(contents: ReadonlyMap<string, FileContent>, nowMs: number, report: Report): PemReader {
  // Thousands of routes may name the same files.
  const checked = new Map<string, CheckedPair>()
  const authorityFaults = new Map<string, string | undefined>()

  function readText({ file, path }: NamedFile): string | undefined {
    const content = contents.get(file) ?? { ok: false, reason: 'was not read' }
    if (content.ok) return content.bytes.toString('utf8')
    report.error(path, `${file} ${content.reason}`)
    return undefined
  }

  return {
    readPair({ cert, key }) {
      const certPem = readText(cert)
      const keyPem = readText(key)
      if (certPem === undefined || keyPem === undefined) return undefined
      const id = `${cert.file}\0${key.file}`
      const { names, findings } = checked.get(id) ?? checkPair(certPem, keyPem, nowMs)
      checked.set(id, { names, findings })
      for (const { part, severity, message, hint } of findings) {
        const { file, path } = part === 'cert' ? cert : key
        report[severity](path, `${file} ${message}`, { hint })
      }
      return { certPem, keyPem, names }
    },
    readAuthorities(named) {
      const pem = readText(named)
      if (pem === undefined) return undefined
      if (!authorityFaults.has(named.file)) authorityFaults.set(named.file, findAuthorityFault(pem))
      const fault = authorityFaults.get(named.file)
      if (fault !== undefined) report.error(named.path, `${named.file} ${fault}`)
      return pem
    },
  }
}
