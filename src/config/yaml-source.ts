import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
} from 'yaml'
import type { Problem } from '../problem.ts'
import type { KeyPath } from './key-path.ts'
import { type OtherReading, readKey, readYamlValues, type ValueFault } from './yaml-values.ts'

export interface Place {
  readonly line: number
  readonly column: number
  readonly sourceLine: string
}

/** A file's text as values, with the way back from each value to its place. */
export interface YamlSource {
  /** Undefined where the text has syntax errors, null where it is empty. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  readonly unreadable: readonly KeyPath[]
  readonly otherReadings: ReadonlyMap<string, OtherReading>
  readonly variables: ReadonlySet<string>
  /** Of what stands there, else of the nearest key above it; undefined where not even that is in the text. */
  findPlace(path: KeyPath, at: 'key' | 'value'): Place | undefined
}

interface Found {
  readonly key: Node | undefined
  readonly value: Node | undefined
  readonly isWhole: boolean
}

const MESSAGES: Partial<Record<YAMLError['code'], string>> = {
  MULTIPLE_DOCS: 'the file has more than one YAML document',
  TAB_AS_INDENT: 'a tab cannot indent',
  RESOURCE_EXHAUSTION: 'the values are nested too deeply',
}

const LONGEST_LINE = 4096

const NOWHERE: Found = { key: undefined, value: undefined, isWhole: false }

/** Never throws: what is wrong with the text is in `problems`. */
export function parseYamlSource(text: string, file: string, env: NodeJS.ProcessEnv): YamlSource {
  const lineCounter = new LineCounter()
  const toProblem = ({ offset, message, expected, hint, earlierOffset }: ValueFault): Problem => {
    const earlier = earlierOffset === undefined ? undefined : placeAt(text, lineCounter, earlierOffset)
    const place = placeAt(text, lineCounter, offset)
    const said = earlier === undefined ? hint : `it is on line ${earlier.line} already`
    return { severity: 'error', file, ...place, message, expected, hint: said }
  }
  const document = parseText(text, lineCounter)
  if (document instanceof Error)
    return withoutValue([toProblem({ offset: 0, message: `not YAML: ${document.message}` })])
  const causes = takeFirstOfLines([...document.errors.filter(isCause), ...document.warnings], lineCounter)
  const errors = causes.map((error) => toProblem(describeError(error)))
  if (document.errors.length > 0) return withoutValue(errors.map(addSyntaxHint))
  const values = readYamlValues(document.contents, env)
  return {
    ...values,
    problems: [...errors, ...values.faults.map(toProblem)],
    findPlace(path, at) {
      const { key, value, isWhole } = findNode(document.contents, path, values.targets)
      const node = isWhole && at === 'value' && value !== undefined && !isBlank(value) ? value : (key ?? value)
      return node === undefined ? undefined : placeAt(text, lineCounter, node.range?.[0] ?? 0)
    },
  }
}

function withoutValue(problems: readonly Problem[]): YamlSource {
  return {
    value: undefined,
    problems,
    unreadable: [],
    otherReadings: new Map(),
    variables: new Set(),
    findPlace: () => undefined,
  }
}

function parseText(text: string, lineCounter: LineCounter): Document.Parsed | Error {
  try {
    // Keys that stand twice are found while values are read: in the parser that takes a time that is quadratic.
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, logLevel: 'error' })
  } catch (error) {
    // Text of a stranger goes in: whatever the parser makes of it, the daemon keeps its old configuration.
    return error instanceof Error ? error : new Error(String(error))
  }
}

function describeError({ code, message, pos }: YAMLError): ValueFault {
  const [first = ''] = message.split('\n')
  const isStackOverflow = first.startsWith('Maximum call stack')
  const own = isStackOverflow ? MESSAGES.RESOURCE_EXHAUSTION : MESSAGES[code]
  return { offset: pos[0], message: own ?? (first.charAt(0).toLowerCase() + first.slice(1)).replace(/[.:]$/, '') }
}

function addSyntaxHint(problem: Problem): Problem {
  const { sourceLine } = problem
  if (/^\s*(- )?[\w-]+:[^\s:]/.test(sourceLine)) return { ...problem, hint: 'a colon needs a space after it' }
  const isInBrackets = /[{[,]/.test(sourceLine.slice(0, Math.max(0, sourceLine.indexOf('${'))))
  return isInBrackets ? { ...problem, hint: `put quotes around \${…} inside of { } or [ ]` } : problem
}

/** Once the parser has lost its way, every further line is unexpected. */
function isCause({ code }: YAMLError, index: number): boolean {
  return index === 0 || code !== 'UNEXPECTED_TOKEN'
}

/** What follows the first error of a line is mostly caused by it; a line of brackets has thousands. */
function takeFirstOfLines(errors: readonly YAMLError[], lineCounter: LineCounter): YAMLError[] {
  const lines = new Set<number>()
  return errors.filter(({ pos: [offset] }) => {
    const { line } = lineCounter.linePos(offset)
    return lines.size < lines.add(line).size
  })
}

function placeAt(text: string, lineCounter: LineCounter, offset: number): Place {
  // The end of the text belongs to its last line that has something in it.
  const at = Math.min(offset, text.trimEnd().length)
  const line = Math.max(1, lineCounter.linePos(at).line)
  const start = lineCounter.lineStarts[line - 1] ?? 0
  const end = text.indexOf('\n', start)
  const rest = text.slice(start, end === -1 ? text.length : end)
  // Each problem carries its line: those of a whole file on one line would be the file many times over.
  const sourceLine = rest.length > LONGEST_LINE ? '' : rest.replace(/\r$/, '')
  return { line, column: countCharacters(text.slice(start, at)) + 1, sourceLine }
}

function countCharacters(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0)
}

function findNode(root: unknown, path: KeyPath, targets: ReadonlyMap<Alias, Node>): Found {
  let found: Found = { key: undefined, value: isNode(root) ? root : undefined, isWhole: true }
  for (const [depth, step] of path.entries()) {
    const next = findChild(found.value, step, targets)
    if (next === undefined) return depth === 0 ? NOWHERE : { ...found, isWhole: false }
    found = next
  }
  return found
}

function findChild(parent: unknown, step: string | number, targets: ReadonlyMap<Alias, Node>): Found | undefined {
  const node = isAlias(parent) ? targets.get(parent) : parent
  if (isSeq(node)) {
    const item = node.items[Number(step)]
    return isNode(item) ? { key: undefined, value: item, isWhole: true } : undefined
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find(({ key }) => readKey(key, targets) === step)
  if (pair !== undefined) {
    return {
      key: isNode(pair.key) ? pair.key : undefined,
      value: isNode(pair.value) ? pair.value : undefined,
      isWhole: true,
    }
  }
  const merges = node.items.filter(({ key }) => readKey(key, targets) === '<<').map(({ value }) => value)
  return merges
    .flatMap((value) => (isSeq(value) ? value.items : [value]))
    .map((value) => findChild(value, step, targets))
    .find((found) => found !== undefined)
}

function isBlank(node: Node): boolean {
  return isScalar(node) && node.value === null && (node.source ?? '') === ''
}
