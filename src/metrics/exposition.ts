import { METRICS, type MetricName } from './catalogue.ts'
import { SCRAPE_EDGES } from './histogram.ts'

const NEEDS_ESCAPE = /[\\"\n]/

/** Content-Type of the text. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Label values in the order of the catalogue, then the number. */
export type Sample = readonly [labels: readonly string[], value: number]

export interface HistogramSample {
  readonly labels: readonly string[]
  readonly buckets: ArrayLike<number>
  readonly sumMs: number
}

/** One family of counters or gauges in the Prometheus text format 0.0.4; '' where there are no samples. */
export function formatFamily(name: MetricName, samples: Iterable<Sample>): string {
  let text = ''
  for (const [labels, value] of samples) text += `${name}${formatLabels(name, labels)} ${value}\n`
  return text === '' ? '' : `${formatHead(name)}${text}`
}

/** One family of histograms, in seconds, with the buckets of `SCRAPE_EDGES`. */
export function formatHistograms(name: MetricName, samples: Iterable<HistogramSample>): string {
  let text = ''
  for (const { labels, buckets, sumMs } of samples) {
    const own = formatLabels(name, labels)
    const head = `${name}_bucket${own === '' ? '{' : `${own.slice(0, -1)},`}le="`
    let count = 0
    let bucket = 0
    for (const { bucket: last, le } of SCRAPE_EDGES) {
      while (bucket <= last) count += buckets[bucket++] ?? 0
      text += `${head}${le}"} ${count}\n`
    }
    while (bucket < buckets.length) count += buckets[bucket++] ?? 0
    text += `${head}+Inf"} ${count}\n`
    text += `${name}_sum${own} ${sumMs / 1000}\n${name}_count${own} ${count}\n`
  }
  return text === '' ? '' : `${formatHead(name)}${text}`
}

function formatHead(name: MetricName): string {
  const { type, help } = METRICS[name]
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
}

function formatLabels(name: MetricName, values: readonly string[]): string {
  if (values.length === 0) return ''
  const names: readonly string[] = METRICS[name].labels
  return `{${names.map((label, i) => `${label}="${escapeLabel(values[i] ?? '')}"`).join(',')}}`
}

function escapeLabel(value: string): string {
  if (!NEEDS_ESCAPE.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
