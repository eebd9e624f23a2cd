import type { SplitSettings } from './schema/split.ts'
import type { SplitConfig, SplitRule } from './split-config.ts'

export function buildSplit({ to, by, secret }: SplitSettings): SplitConfig {
  return { parts: to.map(({ upstream, weight }) => ({ upstream, weight })), by: buildRule(by, secret) }
}

/** What the schema lets pass. */
function buildRule(text: string, secret: string | undefined): SplitRule {
  const [kind, name = ''] = text.split(':')
  if (kind === 'header') return { kind, header: name }
  return kind === 'cookie' ? { kind, cookie: name, secret } : { kind: 'random' }
}
