import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createSelfSigned } from './self-signed.ts'

const READY_WITHIN_MS = 15_000

const root = fileURLToPath(new URL('..', import.meta.url))
const children: ChildProcess[] = []
const dir = mkdtempSync(join(tmpdir(), 'pyserve-ts-example-'))
const port = process.env['PYSERVE_PORT'] ?? process.env['PORT'] ?? '8000'

try {
  const ports = await startBackends()
  const proxy = startProxy(ports)
  if (await becameReady(proxy)) printUrls()
  if (proxy.exitCode === null && proxy.signalCode === null) await once(proxy, 'exit')
  process.exitCode = proxy.exitCode ?? 1
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
}

async function startBackends(): Promise<{ api: string; ws: string; secure: string }> {
  const certFile = join(dir, 'cert.pem')
  const keyFile = join(dir, 'key.pem')
  const { certPem, keyPem } = createSelfSigned(30, Date.now())
  writeFileSync(certFile, certPem)
  writeFileSync(keyFile, keyPem, { mode: 0o600 })
  const [api, ws, secure] = await Promise.all([
    startEcho([]),
    startEcho([]),
    startEcho(['--ssl', '--cert', certFile, '--key', keyFile]),
  ])
  return { api, ws, secure }
}

/** Starts a sample backend on a free port and resolves to that port. */
async function startEcho(args: readonly string[]): Promise<string> {
  const echo = spawn(process.execPath, ['dist/cli.js', 'echo', '--port', '0', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(echo)
  for await (const line of createInterface(echo.stdout)) {
    const match = /:(\d+)\/?\s*$/.exec(line)
    if (match?.[1] !== undefined) {
      echo.stdout.resume()
      return match[1]
    }
  }
  throw new Error('a sample backend did not start')
}

function startProxy(ports: { api: string; ws: string; secure: string }): ChildProcess {
  const proxy = spawn(process.execPath, ['dist/cli.js', 'run', '-c', 'config.example.yaml', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      EXAMPLE_API_PORT: ports.api,
      EXAMPLE_WS_PORT: ports.ws,
      EXAMPLE_SECURE_PORT: ports.secure,
      NODE_EXTRA_CA_CERTS: join(dir, 'cert.pem'),
    },
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => proxy.kill(signal))
  children.push(proxy)
  return proxy
}

async function becameReady(proxy: ChildProcess): Promise<boolean> {
  const deadlineMs = Date.now() + READY_WITHIN_MS
  while (Date.now() < deadlineMs && proxy.exitCode === null && proxy.signalCode === null) {
    if ((await statusOf(`http://127.0.0.1:${port}/healthz`)) === 200) return true
    await delay(50)
  }
  return false
}

function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get(url, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('error', () => resolve(undefined))
  })
}

function printUrls(): void {
  const base = `http://127.0.0.1:${port}`
  console.log(`
pyserve-ts serves config.example.yaml on ${base}. To try:

  curl ${base}/api/users?id=1
  curl -d 'hello' ${base}/api/upload
  curl ${base}/api/v2/users                     # the path as it came
  curl ${base}/secure/                          # a backend behind TLS
  curl -i ${base}/home                          # a redirect
  curl -i ${base}/nowhere                       # an error, with its reason
  curl -H 'Host: www.example.localhost' ${base}/
  npx wscat -c ws://127.0.0.1:${port}/ws              # what you type comes back

  npx pyserve-ts status -c config.example.yaml
  npx pyserve-ts reload -c config.example.yaml  # after a change; a saved file is taken by itself

Ctrl-C ends it.
`)
}
