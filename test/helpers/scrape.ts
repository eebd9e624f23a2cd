import assert from 'node:assert/strict'
import { sendRequest } from './http-client.ts'

/** One scrape of the metrics. */
export interface Scrape {
  readonly text: string
  readonly samples: readonly ScrapedSample[]
  /** Of all samples of that name with these labels. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number
}

export interface ScrapedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export async function scrape(port: number): Promise<Scrape> {
  const reply = await sendRequest({ port }, { path: '/metrics' })
  assert.equal(reply.status, 200)
  const text = reply.body.toString()
  const samples = text.split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : [parseSample(line)]))
  const sum: Scrape['sum'] = (name, labels = {}) => {
    const fits = (sample: ScrapedSample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
    return samples.filter(fits).reduce((total, { value }) => total + value, 0)
  }
  return { text, samples, sum }
}

function parseSample(line: string): ScrapedSample {
  const [, name = '', list = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  assert.ok(value !== undefined, `not a sample: ${line}`)
  const labels = [...list.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [
    label,
    text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)),
  ])
  return { name, labels: Object.fromEntries(labels), value: Number(value) }
}
