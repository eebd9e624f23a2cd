import { resolve } from 'node:path'
import { type BackendPlace, listBackendPlaces, routePath } from './backend-places.ts'
import { listPageFiles } from './error-pages-config.ts'
import { isMapValue, type KeyPath } from './key-path.ts'
import type { ConfigDraft, ConfigParts } from './parse.ts'
import type { BackendTlsSettings } from './schema/backend.ts'

const DEFAULT_CERT_FILE = './ssl/cert.pem'
const DEFAULT_KEY_FILE = './ssl/key.pem'

const FILE_KEYS = new Set(['cert_file', 'key_file', 'ca_file'])

export interface NamedFile {
  /** Absolute. */
  readonly file: string
  /** The key that names it. */
  readonly path: KeyPath
}

export interface NamedPair {
  readonly cert: NamedFile
  readonly key: NamedFile
}

export interface BackendFiles {
  readonly ca: NamedFile | undefined
  readonly pair: NamedPair | undefined
}

/** The pairs that clients are served with, the default first; none where TLS is off. */
export function listPairs({ ssl, isBroken }: ConfigParts, directory: string): NamedPair[] {
  if (!ssl.enabled || isBroken('ssl.cert_file') || isBroken('ssl.key_file')) return []
  const further = ssl.certificates.map(({ cert_file, key_file }, i) => {
    const path: KeyPath = ['ssl', 'certificates', i]
    return namePair(path, cert_file, key_file, directory)
  })
  const isNamed = ssl.cert_file !== undefined || ssl.key_file !== undefined
  if (!isNamed && (further.length > 0 || isBroken('ssl.certificates'))) return further
  return [
    namePair(['ssl'], ssl.cert_file ?? DEFAULT_CERT_FILE, ssl.key_file ?? DEFAULT_KEY_FILE, directory),
    ...further,
  ]
}

/** `backend`: the path of the map that has the key `ssl`. */
export function listBackendFiles(ssl: BackendTlsSettings, backend: KeyPath, directory: string): BackendFiles {
  const { ca_file, cert_file, key_file } = ssl
  const path = [...backend, 'ssl']
  const hasPair = cert_file !== undefined && key_file !== undefined
  return {
    ca: ca_file === undefined ? undefined : { file: resolve(directory, ca_file), path: [...path, 'ca_file'] },
    pair: hasPair ? namePair(path, cert_file, key_file, directory) : undefined,
  }
}

/** Every file that the configuration needs besides itself. */
export function listNamedFiles({ parts, directory }: ConfigDraft): string[] {
  if (parts === undefined) return []
  const front = listPairs(parts, directory).flatMap(({ cert, key }) => [cert.file, key.file])
  const ofServer = listPageFiles(parts.server.error_pages, ['server'], directory)
  const ofRoutes = parts.routes.flatMap((route, i) =>
    route === undefined ? [] : listPageFiles(route.error_pages, routePath(i), directory),
  )
  const pages = [...ofServer, ...ofRoutes].map(({ named }) => named.file)
  const back = listBackendPlaces(parts).flatMap((backend) => listFilesOfBackend(backend, directory))
  return [...front, ...back, ...pages]
}

/** Every file that is named for a certificate or a page, also where what is around it has mistakes. */
export function scanNamedFiles(value: unknown, directory: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => scanNamedFiles(item, directory))
  if (!isMapValue(value)) return []
  return Object.entries(value).flatMap(([key, item]) => {
    if (key === 'error_pages') return listTexts(item).map((file) => resolve(directory, file))
    const names = FILE_KEYS.has(key) && typeof item === 'string' && item !== ''
    return names ? [resolve(directory, item)] : scanNamedFiles(item, directory)
  })
}

function listTexts(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(listTexts) : []
}

function listFilesOfBackend({ ssl, path }: BackendPlace, directory: string): string[] {
  if (typeof ssl === 'boolean') return []
  const { ca, pair } = listBackendFiles(ssl, path, directory)
  return [ca, pair?.cert, pair?.key].flatMap((named) => (named === undefined ? [] : [named.file]))
}

function namePair(path: KeyPath, certFile: string, keyFile: string, directory: string): NamedPair {
  return {
    cert: { file: resolve(directory, certFile), path: [...path, 'cert_file'] },
    key: { file: resolve(directory, keyFile), path: [...path, 'key_file'] },
  }
}
