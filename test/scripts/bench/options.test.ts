import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseOptions } from '../../../scripts/bench/options.ts'

const main = join(import.meta.dirname, '..', '..', '..', 'scripts', 'bench', 'main.ts')

test('without flags everything is measured', () => {
  const { contenders, loads, extras, json, readme } = parseOptions([])
  assert.equal(contenders.length, 7)
  assert.equal(loads.size, 9)
  assert.equal(extras.size, 7)
  assert.deepEqual([json, readme], [undefined, false])
})

test('contenders and loads are chosen by name', () => {
  const { contenders, loads, extras } = parseOptions(['--only', 'nginx,pyserve-ts', '--load', 'get-64, memory'])
  assert.deepEqual(
    contenders.map(({ name }) => name),
    ['nginx', 'pyserve-ts'],
  )
  assert.deepEqual([...loads], ['get-64'])
  assert.deepEqual([...extras], ['memory'])
})

test('rounds and seconds win over --quick', () => {
  const { bench } = parseOptions(['--quick', '--rounds', '2', '--seconds', '0.7'])
  assert.deepEqual([bench.rounds, bench.seconds, bench.idleConnections], [2, 0.7, 500])
})

for (const { args, code, says } of [
  { args: ['--help'], code: 0, says: /Examples:/ },
  { args: ['--only', 'apache'], code: 2, says: /"apache" is none of nginx, haproxy/ },
  { args: ['--rounds', '0'], code: 2, says: /above 0/ },
  { args: ['--rounds', '1.5'], code: 2, says: /whole number/ },
  { args: ['--fast'], code: 2, says: /unknown option '--fast'/ },
]) {
  test(`${args.join(' ')} ends with ${code}`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
    assert.match(stdout + stderr, says)
    assert.equal(status, code)
  })
}
