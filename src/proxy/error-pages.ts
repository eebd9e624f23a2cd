import type { ErrorPageConfig, PageConfig, PageType } from '../config/error-pages-config.ts'
import type { Reason } from '../reason.ts'
import { weightOf } from './accept.ts'
import { escapeHtml } from './escape-html.ts'

/** What a page may say of an error. */
export const PAGE_VARIABLES = ['status', 'status_text', 'reason', 'message', 'request_id'] as const

export type PageValues = Readonly<Record<(typeof PAGE_VARIABLES)[number], string>>

export interface Page {
  readonly contentType: string
  render(values: PageValues): string
}

/** Whoever answers an error asks it for the page. */
export interface ErrorPages {
  /** Undefined where the built-in page is to be used; `accept` as the request has it. */
  find(reason: Reason, status: number, accept: string | undefined): Page | undefined
}

interface TypedPage extends Page {
  readonly type: PageType
}

const MEDIA_TYPES = { html: 'text/html', json: 'application/json', text: 'text/plain' } as const
const ESCAPES: Readonly<Record<PageType, (text: string) => string>> = {
  html: escapeHtml,
  json: (text) => JSON.stringify(text).slice(1, -1),
  text: (text) => text,
}
const REFERENCE = new RegExp(`\\{(${PAGE_VARIABLES.join('|')})\\}`)

/** Compiles pages, each once however many use it. */
export function createPageCompiler(pages: Readonly<Record<string, PageConfig>>) {
  const compiled = new Map<string, TypedPage>()

  function compilePage(key: string): TypedPage {
    const known = compiled.get(key)
    if (known !== undefined) return known
    const config = pages[key]
    if (config === undefined) throw new Error(`there is no page ${JSON.stringify(key)}`)
    const page = compileText(config)
    compiled.set(key, page)
    return page
  }

  /** `configs` win over `others`, whatever either is for. Undefined where there are none. */
  return (configs: readonly ErrorPageConfig[], others?: ErrorPages): ErrorPages | undefined => {
    if (configs.length === 0) return others
    const byError = Map.groupBy(configs, ({ error }) => error)
    const pagesOf = new Map([...byError].map(([error, list]) => [error, list.map(({ page }) => compilePage(page))]))
    return {
      find(reason, status, accept) {
        for (const error of [reason, String(status), `${Math.floor(status / 100)}xx`]) {
          const page = choose(pagesOf.get(error) ?? [], accept)
          if (page !== undefined) return page
        }
        return others?.find(reason, status, accept)
      },
    }
  }
}

/** The one that the client takes most gladly, if it takes neither HTML nor JSON, which there are without it, more gladly. */
function choose(pages: readonly TypedPage[], accept: string | undefined): TypedPage | undefined {
  const least = Math.max(weightOf(accept, MEDIA_TYPES.html), weightOf(accept, MEDIA_TYPES.json))
  return pages
    .map((page) => ({ page, weight: page.type === 'text' ? 1 : weightOf(accept, MEDIA_TYPES[page.type]) }))
    .filter(({ weight }) => weight > 0 && weight >= least)
    .toSorted((a, b) => b.weight - a.weight)[0]?.page
}

/** Braces around anything else stand for themselves: pages are full of them. */
function compileText({ type, text }: PageConfig): TypedPage {
  const parts = text.split(REFERENCE)
  const escapeFor = ESCAPES[type]
  return {
    type,
    contentType: type === 'json' ? MEDIA_TYPES.json : `${MEDIA_TYPES[type]}; charset=utf-8`,
    // Every other part is a name.
    render: (values) =>
      parts.map((part, i) => (i % 2 === 0 ? part : escapeFor(values[part as keyof PageValues]))).join(''),
  }
}
