import {
  type Alias,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { interpolate } from './interpolate.ts'
import { formatKeyPath, isMapValue, type KeyPath } from './key-path.ts'

export interface ValueFault {
  /** Where in the text. */
  readonly offset: number
  readonly message: string
  readonly expected?: string
  readonly hint?: string
  /** Where the same key stands already. */
  readonly earlierOffset?: number
}

/** The other reading of a scalar that is one whole reference: `${PORT}` is a number and a text. */
export interface OtherReading {
  readonly path: KeyPath
  readonly value: unknown
}

export interface YamlValues {
  readonly value: unknown
  readonly faults: readonly ValueFault[]
  /** Their value could not be made out: nothing more is to be said about them. */
  readonly unreadable: readonly KeyPath[]
  /** By the path's text. */
  readonly otherReadings: ReadonlyMap<string, OtherReading>
  /** Environment variables that were named. */
  readonly variables: ReadonlySet<string>
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Alias, Node>
}

interface Walk {
  readonly env: NodeJS.ProcessEnv
  /** By place and message: said once, where the text stands, and not again for each alias of it. */
  readonly faults: Map<string, ValueFault>
  readonly unreadable: KeyPath[]
  readonly otherReadings: Map<string, OtherReading>
  readonly variables: Set<string>
  readonly targets: Map<Alias, Node>
  readonly anchors: Map<string, Node>
  /** Targets being expanded, innermost last. */
  readonly expanding: Node[]
  expandedNodes: number
}

const MAX_DEPTH = 64
const MAX_EXPANDED_NODES = 200_000

/** Plain values of a document: aliases and `<<` expanded, references to the environment replaced inside of scalars. */
export function readYamlValues(contents: unknown, env: NodeJS.ProcessEnv): YamlValues {
  const walk: Walk = {
    env,
    faults: new Map(),
    unreadable: [],
    otherReadings: new Map(),
    variables: new Set(),
    targets: new Map(),
    anchors: new Map(),
    expanding: [],
    expandedNodes: 0,
  }
  const value = isNode(contents) ? readNode(walk, contents, []) : null
  return { ...walk, value, faults: [...walk.faults.values()] }
}

/** The text of a map's key; undefined where it is none. */
export function readKey(key: unknown, targets: ReadonlyMap<Alias, Node>): string | undefined {
  const node = isAlias(key) ? targets.get(key) : key
  if (!isScalar(node) || node.value === null) return undefined
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
}

function readNode(walk: Walk, node: Node, path: KeyPath): unknown {
  if (path.length > MAX_DEPTH) return refuse(walk, node, path, { message: `more than ${MAX_DEPTH} levels deep` })
  if (isAlias(node)) return readAlias(walk, node, path)
  registerAnchor(walk, node)
  if (walk.expanding.length > 0 && ++walk.expandedNodes > MAX_EXPANDED_NODES) return undefined
  if (isMap(node)) return readMap(walk, node, path)
  if (isSeq(node)) return readList(walk, node, path)
  return isScalar(node) ? readScalar(walk, node, path) : undefined
}

function registerAnchor({ anchors, expanding }: Walk, node: Node): void {
  // Anchors count in the order of the text: going through one again must not bring back an older meaning.
  if (expanding.length === 0 && !isAlias(node) && node.anchor !== undefined) anchors.set(node.anchor, node)
}

function readAlias(walk: Walk, alias: Alias, path: KeyPath): unknown {
  const target = walk.targets.get(alias) ?? walk.anchors.get(alias.source)
  if (target === undefined) return refuse(walk, alias, path, { message: `no anchor &${alias.source} comes before it` })
  walk.targets.set(alias, target)
  if (walk.expanding.includes(target) || isWithin(target, alias)) {
    return refuse(walk, alias, path, { message: `the alias *${alias.source} contains itself` })
  }
  if (walk.expandedNodes > MAX_EXPANDED_NODES) {
    walk.unreadable.push(path)
    return undefined
  }
  walk.expanding.push(target)
  const value = readNode(walk, target, path)
  walk.expanding.pop()
  if (walk.expanding.length === 0 && walk.expandedNodes > MAX_EXPANDED_NODES) {
    return refuse(walk, alias, path, { message: `aliases expand to more than ${MAX_EXPANDED_NODES} values` })
  }
  return value
}

function isWithin(outer: Node, inner: Node): boolean {
  return offsetOf(outer) <= offsetOf(inner) && offsetOf(inner) < (outer.range?.[1] ?? 0)
}

function readMap(walk: Walk, map: YAMLMap, path: KeyPath): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  const offsets = new Map<string, number>()
  const merged: Node[] = []
  for (const { key, value } of map.items) {
    if (isNode(key)) registerAnchor(walk, key)
    if (isAlias(key)) readAlias(walk, key, path)
    const name = readKey(key, walk.targets)
    if (name === undefined) {
      const place = isNode(key) && offsetOf(key) > 0 ? key : map
      refuse(walk, place, path, { message: 'a key is no plain name', expected: 'name: value' })
      continue
    }
    const offset = isNode(key) ? offsetOf(key) : 0
    const earlierOffset = offsets.get(name)
    if (earlierOffset !== undefined) {
      addFault(walk, { offset, message: `the key "${name}" stands here again`, earlierOffset })
      continue
    }
    offsets.set(name, offset)
    if (name === '<<' && isNode(value)) merged.push(value)
    else setEntry(values, name, isNode(value) ? readNode(walk, value, [...path, name]) : null)
  }
  for (const source of merged) mergeInto(values, readMerged(walk, source, path))
  return values
}

function readMerged(walk: Walk, source: Node, path: KeyPath): readonly unknown[] {
  const value = isSeq(source)
    ? source.items.map((item) => (isNode(item) ? readNode(walk, item, path) : null))
    : [readNode(walk, source, path)]
  if (value.some((item) => item !== undefined && !isMapValue(item))) {
    refuse(walk, source, path, { message: 'only maps can be merged with <<' })
  }
  return value
}

function mergeInto(values: Record<string, unknown>, sources: readonly unknown[]): void {
  for (const source of sources.filter(isMapValue)) {
    for (const [name, value] of Object.entries(source)) {
      if (!Object.hasOwn(values, name)) setEntry(values, name, value)
    }
  }
}

function setEntry(values: Record<string, unknown>, name: string, value: unknown): void {
  if (value === undefined) return
  // An assignment to __proto__ would change what the object is, and the key would not be seen.
  if (name !== '__proto__') values[name] = value
  else Object.defineProperty(values, name, { value, enumerable: true, configurable: true, writable: true })
}

function readList(walk: Walk, list: YAMLSeq, path: KeyPath): unknown[] {
  return list.items.map((item, i) => (isNode(item) ? readNode(walk, item, [...path, i]) : null))
}

function readScalar(walk: Walk, scalar: Scalar, path: KeyPath): unknown {
  const { value } = scalar
  if (typeof value !== 'string') return isPlainValue(value) ? value : (scalar.source ?? '')
  if (!value.includes('$')) return value
  const result = interpolate(value, walk.env)
  if (!result.ok) {
    const { ok, ...fault } = result
    return refuse(walk, scalar, path, fault)
  }
  for (const variable of result.variables) walk.variables.add(variable)
  if (!result.whole) return result.text
  const typed = readPlainScalar(result.text)
  if (typed === result.text) return typed
  const isPlain = scalar.type === 'PLAIN'
  const other = isPlain ? result.text : typed
  walk.otherReadings.set(formatKeyPath(path), { path, value: other })
  return isPlain ? typed : result.text
}

/** A plain scalar's value by the core schema (YAML 1.2.2 §10.3.2). */
export function readPlainScalar(text: string): unknown {
  if (/^(?:|~|null|Null|NULL)$/.test(text)) return null
  if (/^(?:true|True|TRUE)$/.test(text)) return true
  if (/^(?:false|False|FALSE)$/.test(text)) return false
  const isNumber =
    /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text) || /^0(?:o[0-7]+|x[\da-fA-F]+)$/.test(text)
  return isNumber ? Number(text) : text
}

function isPlainValue(value: unknown): boolean {
  return value === null || typeof value === 'boolean' || typeof value === 'number'
}

function refuse(walk: Walk, node: Node, path: KeyPath, fault: Omit<ValueFault, 'offset'>): undefined {
  walk.unreadable.push(path)
  addFault(walk, { ...fault, offset: offsetOf(node) })
}

function addFault({ faults }: Walk, fault: ValueFault): void {
  faults.set(`${fault.offset} ${fault.message}`, fault)
}

function offsetOf(node: Node): number {
  return node.range?.[0] ?? 0
}
