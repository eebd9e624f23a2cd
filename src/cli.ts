#!/usr/bin/env node
import './cli/require-node.ts'

// A static import would be linked before the check above runs, and an old Node may fail there with a message of its own.
const { runProgram } = await import('./cli/program.ts')

await runProgram(process.argv)
