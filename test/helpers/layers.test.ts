import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findLayerViolations, parseImports } from './layers.ts'

for (const { name, path, text, allowed } of [
  { name: 'a folder may import itself', path: 'proxy/a.ts', text: "import { b } from './b.ts'", allowed: true },
  { name: 'a subfolder belongs to its folder', path: 'proxy/headers/a.ts', text: "import '../b.ts'", allowed: true },
  { name: 'imports may point down', path: 'primary/a.ts', text: "import { b } from '../ipc/b.ts'", allowed: true },
  { name: 'imports may skip layers', path: 'cli.ts', text: "import { b } from './problem.ts'", allowed: true },
  { name: 'the bin belongs to the commands', path: 'cli.ts', text: "await import('./cli/b.ts')", allowed: true },
  { name: 'data types may import each other', path: 'a.ts', text: "import { b } from './b.ts'", allowed: true },
  { name: 'packages are not looked at', path: 'log/a.ts', text: "import pino from 'pino'", allowed: true },
  {
    name: 'types may come from beside',
    path: 'routing/a.ts',
    text: "import type { B } from '../config/b.ts'",
    allowed: true,
  },
  { name: 'values may not come from beside', path: 'routing/a.ts', text: "import { b } from '../config/b.ts'" },
  {
    name: 'one type name among values is still a value import',
    path: 'log/a.ts',
    text: "import { type B } from '../metrics/b.ts'",
  },
  { name: 'imports may not point up', path: 'routing/a.ts', text: "import { b } from '../proxy/b.ts'" },
  { name: 'types may not point up either', path: 'routing/a.ts', text: "import type { B } from '../proxy/b.ts'" },
  { name: 'an export from is an import', path: 'routing/a.ts', text: "export * from '../proxy/b.ts'" },
  { name: 'a side effect is an import', path: 'routing/a.ts', text: "import '../proxy/b.ts'" },
  { name: 'a late import is an import', path: 'routing/a.ts', text: "const b = await import('../proxy/b.ts')" },
  {
    name: 'an import over several lines is seen',
    path: 'routing/a.ts',
    text: "import {\n  b,\n  c,\n} from '../proxy/b.ts'",
  },
  { name: 'the primary does not know the worker', path: 'primary/a.ts', text: "import { b } from '../worker/b.ts'" },
  { name: 'not even its types', path: 'worker/a.ts', text: "import type { B } from '../primary/b.ts'" },
  { name: 'data types import no folder', path: 'a.ts', text: "import type { B } from './log/b.ts'" },
  { name: 'nobody imports the commands', path: 'primary/a.ts', text: "import { b } from '../cli.ts'" },
  { name: 'a folder outside of the layers fails', path: 'utils/a.ts', text: '' },
  { name: 'an import of such a folder fails', path: 'cli/a.ts', text: "import { b } from '../utils/b.ts'" },
  { name: 'an import without its extension fails', path: 'cli/a.ts', text: "import { b } from './b'" },
  { name: 'an import that leaves src fails', path: 'cli/a.ts', text: "import { b } from '../../test/b.ts'" },
]) {
  test(`layers: ${name}`, () => {
    const found = findLayerViolations([{ path, text }])
    assert.equal(found.length, allowed === true ? 0 : 1, found.join('\n'))
  })
}

test('layers: what stands in comments and in strings is no import', () => {
  const text = [
    "// import { a } from './a.ts'",
    "/*\nimport { b } from './b.ts'\n*/",
    'const glob = "src/**/*"',
    'const usage = `\nimport the config`',
    "import { d } from './d.ts' // why",
    "import { e /* e */ } from './e.ts'",
    "export const from = './f.ts'",
    "export { type G } from './g.ts'",
    "export type { H } from './h.ts'",
  ].join('\n')
  assert.deepEqual(parseImports(text), [
    { specifier: './d.ts', typeOnly: false },
    { specifier: './e.ts', typeOnly: false },
    { specifier: './g.ts', typeOnly: false },
    { specifier: './h.ts', typeOnly: true },
  ])
})
