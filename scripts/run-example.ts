import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const proxy = spawn(process.execPath, ['dist/cli.js', 'run', '-c', 'config.example.yaml'], {
  cwd: root,
  stdio: 'inherit',
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => proxy.kill(signal))

proxy.on('exit', (code) => {
  process.exitCode = code ?? 1
})
