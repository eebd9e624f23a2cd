/** A tree of path segments: what a lookup costs depends on the depth of the routes, not on their number. */
export interface PathTree<C> {
  /** Undefined where there are none: most nodes are leaves, and a map is one more place to look at. */
  children: Map<string, PathTree<C>> | undefined
  byMethod: Map<string, C> | undefined
  /** For every method that `byMethod` does not list. */
  anyMethod: C | undefined
}

export function createPathTree<C>(): PathTree<C> {
  return { children: undefined, byMethod: undefined, anyMethod: undefined }
}

/** `methods` empty: any. Of two entries that would answer the same request the first stays. */
export function addToPathTree<C>(tree: PathTree<C>, matchPath: string, methods: readonly string[], entry: C): void {
  let node = tree
  for (const segment of segmentsOf(matchPath)) {
    node.children ??= new Map()
    const child: PathTree<C> = node.children.get(segment) ?? createPathTree()
    node.children.set(segment, child)
    node = child
  }
  if (methods.length === 0) node.anyMethod ??= entry
  for (const method of methods) {
    node.byMethod ??= new Map()
    if (!node.byMethod.has(method)) node.byMethod.set(method, entry)
  }
}

/** RFC 9110 §9.3.2: who answers GET answers HEAD. Called once, when every entry is in. */
export function allowHeadWithGet<C>(tree: PathTree<C>): void {
  const get = tree.byMethod?.get('GET')
  if (get !== undefined && !tree.byMethod?.has('HEAD')) tree.byMethod?.set('HEAD', get)
  for (const child of tree.children?.values() ?? []) allowHeadWithGet(child)
}

/** The entry with the longest prefix of `matchPath`, on a segment boundary, that takes the method. */
export function findInPathTree<C>(tree: PathTree<C>, matchPath: string, method: string): C | undefined {
  let node = tree
  let found = takeMethod(node, method)
  for (let start = 1; node.children !== undefined && start < matchPath.length; ) {
    const slash = matchPath.indexOf('/', start)
    const end = slash === -1 ? matchPath.length : slash
    const child = node.children.get(matchPath.slice(start, end))
    if (child === undefined) break
    node = child
    found = takeMethod(node, method) ?? found
    start = end + 1
  }
  return found
}

/** Number of segments of a route's prefix. */
export function depthOf(matchPath: string): number {
  return segmentsOf(matchPath).length
}

function takeMethod<C>(node: PathTree<C>, method: string): C | undefined {
  return node.byMethod?.get(method) ?? node.anyMethod
}

function segmentsOf(matchPath: string): string[] {
  return matchPath.split('/').filter((segment) => segment !== '')
}
