export interface SourceFile {
  /** Relative to src, with forward slashes. */
  readonly path: string
  readonly text: string
}

export interface ImportStatement {
  readonly specifier: string
  readonly typeOnly: boolean
}

const DATA_TYPES = 'data types'

/** Upper layers first: imports point down, or stay inside a folder. */
const LAYERS: readonly (readonly string[])[] = [
  ['cli'],
  ['primary', 'worker'],
  ['proxy', 'listener'],
  ['routing', 'upstream', 'health', 'limits', 'ipc', 'config'],
  ['metrics', 'log', 'http1'],
  [DATA_TYPES],
]

const STRANGERS: readonly string[] = ['primary', 'worker']

const STATEMENT =
  /^[ \t]*(?:import|export)\s+(type\s)?(?:[\w$*{},\s]*\sfrom\s*|[\w$*{},\s]*\}\s*from\s*)?(['"])(.+?)\2/gm
const DYNAMIC = /\bimport\(\s*(['"])(.+?)\1/g
const STRING_OR_COMMENT = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/.*|\/\*[\s\S]*?\*\//g

/** One line for each import that the layers forbid, and for each file outside of them. */
export function findLayerViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    if (levelOf(folderOf(path)) === undefined) return [`${path}: the folder ${folderOf(path)} is in no layer`]
    return parseImports(text).flatMap((statement) => {
      const problem = findProblem(path, statement)
      return problem === undefined ? [] : [`${path}: imports ${statement.specifier}: ${problem}`]
    })
  })
}

export function parseImports(text: string): ImportStatement[] {
  const code = text.replace(STRING_OR_COMMENT, (match) => (match.startsWith('/') ? ' ' : match))
  const statements = [...code.matchAll(STATEMENT)].map(([, type, , specifier = '']) => ({
    specifier,
    typeOnly: type !== undefined,
  }))
  const dynamic = [...code.matchAll(DYNAMIC)].map(([, , specifier = '']) => ({ specifier, typeOnly: false }))
  return [...statements, ...dynamic]
}

function findProblem(path: string, { specifier, typeOnly }: ImportStatement): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  if (!specifier.endsWith('.ts')) return 'a relative import names its .ts file'
  const target = resolve(path, specifier)
  if (target === undefined) return 'it is outside of src'
  const from = folderOf(path)
  const to = folderOf(target)
  if (from === to) return undefined
  const fromLevel = levelOf(from)
  const toLevel = levelOf(to)
  if (fromLevel === undefined || toLevel === undefined) return `the folder ${to} is in no layer`
  if (STRANGERS.includes(from) && STRANGERS.includes(to)) return `${from} and ${to} know only ipc of each other`
  if (toLevel < fromLevel) return `${to} is above ${from}`
  if (toLevel === fromLevel && !typeOnly) return `${to} is beside ${from}, only its types may be imported`
  return undefined
}

function folderOf(path: string): string {
  const [first, ...rest] = path.split('/')
  if (path === 'cli.ts') return 'cli'
  return first === undefined || rest.length === 0 ? DATA_TYPES : first
}

function levelOf(folder: string): number | undefined {
  const level = LAYERS.findIndex((folders) => folders.includes(folder))
  return level === -1 ? undefined : level
}

function resolve(path: string, specifier: string): string | undefined {
  const parts = path.split('/').slice(0, -1)
  for (const step of specifier.split('/')) {
    if (step === '..' && parts.pop() === undefined) return undefined
    if (step !== '..' && step !== '.') parts.push(step)
  }
  return parts.join('/')
}
