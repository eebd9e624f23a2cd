import { runPinnedNode } from './run.mjs'
import { setUp } from './setup.mjs'

try {
  await setUp()
  process.exitCode = await runPinnedNode(['scripts/bench/main.ts', ...process.argv.slice(2)])
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
