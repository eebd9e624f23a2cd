import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'

const bin = join(import.meta.dirname, '..', '..', 'dist', 'cli.js')
const oldNode = findOldNode()

test('a Node that is too old is told so in one line', { skip: oldNode ? false : 'no Node below 22.22 on PATH' }, () => {
  assert.ok(oldNode)
  const { status, stdout, stderr } = spawnSync(oldNode, [bin, '--version'], { encoding: 'utf8' })
  assert.match(stderr, /^pyserve-ts needs Node\.js 22\.22 or newer, this is \d+\.\d+\.\d+ \(.+\)\n$/)
  assert.equal(stdout, '')
  assert.equal(status, 1)
})

function findOldNode(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((dir) => dir !== '' && !dir.includes('node_modules'))
    .map((dir) => join(dir, 'node'))
    .find((node) => existsSync(node) && isTooOld(node))
}

function isTooOld(node: string): boolean {
  const { stdout } = spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8', timeout: 10_000 })
  const [major = Number.NaN, minor = 0] = stdout.split('.').map(Number)
  return major < 22 || (major === 22 && minor < 22)
}
