// Preloaded into every test file. The runner's own timeout is for each test: a file whose tests have ended but which
// left a server, timer or child process open would hold the run for ever.
import { after } from 'node:test'

const graceMs = Number(process.env.LEAK_GRACE_MS ?? 20_000)

// Processes that a test forks inherit the preload, but only the test file itself may speak to the runner.
if (process.env.NODE_TEST_CONTEXT !== undefined && process.argv[1]?.endsWith('.test.ts')) {
  after(() => setTimeout(endLeakingFile, graceMs).unref())
}

function endLeakingFile() {
  const open = process.getActiveResourcesInfo().join(', ')
  console.error(`${process.argv[1]} is still running ${graceMs} ms after its tests ended; open: ${open}`)
  process.exit(1)
}
