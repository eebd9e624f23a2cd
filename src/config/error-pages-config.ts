import { createHash } from 'node:crypto'
import { extname, resolve } from 'node:path'
import type { FileContent } from './files.ts'
import type { KeyPath } from './key-path.ts'
import type { NamedFile } from './named-files.ts'
import type { Report } from './report.ts'
import type { ErrorPagesSettings } from './schema/error-pages.ts'

export type PageType = 'html' | 'json' | 'text'

/** A page, once for everyone who uses it. */
export interface PageConfig {
  readonly type: PageType
  readonly text: string
}

/** Which page answers what. */
export interface ErrorPageConfig {
  /** A reason, a status, or a class such as `5xx`, in lower case. */
  readonly error: string
  /** A key of `Config.pages`, made of what the page says. */
  readonly page: string
}

/** Takes pages from what was read; what cannot be used is reported at the key that names it. */
export interface PageReader {
  /** Undefined where it cannot be used. */
  read(named: NamedFile): string | undefined
  /** What was read so far. */
  readonly pages: Readonly<Record<string, PageConfig>>
}

/** Longest page: every worker keeps it, and it goes out whole. */
const MOST_PAGE_BYTES = 256 * 1024

const TYPES: Readonly<Record<string, PageType>> = { '.html': 'html', '.htm': 'html', '.json': 'json', '.txt': 'text' }

/** `owner`: the path of the map that has the key `error_pages`. */
export function listPageFiles(settings: ErrorPagesSettings, owner: KeyPath, directory: string) {
  return Object.entries(settings).flatMap(([error, files]) => {
    const path = [...owner, 'error_pages', error]
    const list = Array.isArray(files) ? files : [files]
    return list.map((file, i) => ({
      error: error.toLowerCase(),
      named: { file: resolve(directory, file), path: Array.isArray(files) ? [...path, i] : path },
    }))
  })
}

export function buildErrorPages(
  settings: ErrorPagesSettings,
  owner: KeyPath,
  { directory, pages }: { readonly directory: string; readonly pages: PageReader },
): ErrorPageConfig[] {
  return listPageFiles(settings, owner, directory).flatMap(({ error, named }) => {
    const page = pages.read(named)
    return page === undefined ? [] : [{ error, page }]
  })
}

export function createPageReader(contents: ReadonlyMap<string, FileContent>, report: Report): PageReader {
  const pages: Record<string, PageConfig> = {}
  return {
    pages,
    read({ file, path }) {
      const type = TYPES[extname(file).toLowerCase()]
      const text = readText(contents.get(file) ?? { ok: false, reason: 'was not read' })
      if (!text.ok) report.error(path, `${file} ${text.reason}`)
      if (type === undefined)
        report.error(path, `${file} is no page`, { expected: 'a file .html, .htm, .json or .txt' })
      if (!text.ok || type === undefined) return undefined
      const digest = createHash('sha256').update(text.text).digest('hex')
      const key = `${type}:${digest.slice(0, 32)}`
      pages[key] = { type, text: text.text }
      return key
    },
  }
}

type Text = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }

function readText(content: FileContent): Text {
  if (!content.ok) return content
  if (content.bytes.length > MOST_PAGE_BYTES) return { ok: false, reason: 'is longer than 256 KB' }
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(content.bytes) }
  } catch {
    return { ok: false, reason: 'is not a text in UTF-8' }
  }
}
