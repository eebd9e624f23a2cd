import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import {
  cpuBetween,
  parseStat,
  readCpu,
  readRssBytes,
  readTree,
  selectTree,
} from '../../../scripts/bench/process-tree.ts'
import { waitFor } from '../../helpers/wait.ts'

const TAIL = '1 1 1 0 -1 4194560 1200 0 3 0 150 25 7 9 20 0 11 0 52 99 1 18446744073709551615'

for (const { name, text, expected } of [
  {
    name: 'a plain line',
    text: `42 (nginx) S ${TAIL.replace(/^1/, '7')}`,
    expected: { pid: 42, parentPid: 7, state: 'S', cpuMicros: 1_750_000 },
  },
  {
    name: 'a name with spaces and parentheses',
    text: `43 (a) R (b) c) R ${TAIL}`,
    expected: { pid: 43, parentPid: 1, state: 'R', cpuMicros: 1_750_000 },
  },
  { name: 'nothing', text: '', expected: undefined },
  { name: 'a line that breaks off', text: '44 (x) S 1 2 3', expected: undefined },
]) {
  test(`/proc/PID/stat: ${name}`, () => assert.deepEqual(parseStat(text), expected))
}

test('a tree is a process with all that descend from it, whatever the order', () => {
  const process = (pid: number, parentPid: number) => ({ pid, parentPid, state: 'S', cpuMicros: 0 })
  const all = [process(5, 4), process(3, 1), process(4, 2), process(2, 1), process(6, 3)]
  assert.deepEqual(
    selectTree(all, 2).map(({ pid }) => pid),
    [2, 4, 5],
  )
})

test('CPU time is the difference of what lived through, and all of what was started in between', () => {
  const before = new Map([[1, 100]])
  assert.equal(cpuBetween(before, new Map([[1, 150]])), 50)
  assert.equal(
    cpuBetween(
      before,
      new Map([
        [1, 150],
        [2, 30],
      ]),
    ),
    80,
  )
})

test('CPU time is not known where a process ended', () => {
  assert.equal(cpuBetween(new Map([[1, 100]]), new Map()), undefined)
  assert.equal(cpuBetween(new Map(), new Map([[1, 100]])), undefined)
})

test('the CPU time and memory of a child that works are seen', async (t) => {
  const code = 'require("child_process").spawn(process.execPath, ["-e", "for (;;);"]); setInterval(() => 0, 1000)'
  const child = spawn(process.execPath, ['-e', code], { stdio: 'ignore' })
  const pid = child.pid ?? 0
  t.after(() => {
    for (const one of readTree(pid)) process.kill(one.pid, 'SIGKILL')
  })
  await waitFor(() => readTree(pid).length === 2, { what: 'the child of the child' })
  const before = readCpu(pid)
  await waitFor(() => (cpuBetween(before, readCpu(pid)) ?? 0) >= 50_000, { what: '50 ms of CPU time' })
  assert.ok(readRssBytes(pid) > 10_000_000)
})
