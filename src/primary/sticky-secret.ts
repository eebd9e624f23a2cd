import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listUpstreams } from '../config/balancing-config.ts'
import type { Config } from '../config/config.ts'

const FILE = 'sticky.key'
const BYTES = 32

/**
 * What sticky cookies without a secret of their own are signed with; '' where there are none. It is made when it is first
 * needed, and kept in the run directory for its owner only, so that cookies are good after a restart. Throws where it
 * can be neither read nor written.
 */
export function findStickySecret(config: Config, runDir: string): string {
  if (!listCookies(config).some(({ secret }) => secret === undefined)) return ''
  const file = join(runDir, FILE)
  try {
    return readSecret(file) ?? writeSecret(file)
  } catch (cause) {
    throw new Error(`the secret of sticky cookies cannot be kept: ${(cause as Error).message}`, { cause })
  }
}

function listCookies(config: Config): { readonly secret: string | undefined }[] {
  const ofSplits = config.routes.flatMap(({ action }) =>
    action.kind === 'proxy' && action.split?.by.kind === 'cookie' ? [action.split.by] : [],
  )
  return [...listUpstreams(config).flatMap(({ sticky }) => sticky ?? []), ...ofSplits]
}

/** Undefined where there is none, or what is there is no secret. */
function readSecret(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim()
    return Buffer.from(text, 'base64').length === BYTES ? text : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** By a new file that takes the other's place: half a secret is never read. */
function writeSecret(file: string): string {
  const secret = randomBytes(BYTES).toString('base64')
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, `${secret}\n`, { mode: 0o600, flag: 'w' })
  renameSync(fresh, file)
  return secret
}
