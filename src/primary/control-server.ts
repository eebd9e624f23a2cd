import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { ControlRequest, ControlResponse } from '../ipc/control.ts'

const MAX_REQUEST_BYTES = 64 * 1024
const REQUEST_WITHIN_MS = 5_000

export interface ControlServer {
  close(): void
}

/** Serves one JSON line a connection on a Unix socket that only this user may open. Rejects where it cannot be had. */
export async function startControlServer(
  path: string,
  answer: (request: ControlRequest) => Promise<unknown>,
): Promise<ControlServer> {
  // What a killed primary left behind; the pid file has made sure that no other lives.
  rmSync(path, { force: true })
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    serve(socket, answer)
  })
  await listenPrivately(server, path)
  return {
    close() {
      server.close()
      rmSync(path, { force: true })
      for (const socket of open) socket.end()
    },
  }
}

function listenPrivately(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const before = process.umask(0o177)
    server.once('error', reject)
    server.listen(path, () => {
      chmodSync(path, 0o600)
      // Out of file descriptors, say: whoever asks is not answered, and the daemon serves on.
      server.on('error', () => {})
      resolve()
    })
    process.umask(before)
  })
}

function serve(socket: Socket, answer: (request: ControlRequest) => Promise<unknown>): void {
  let text = ''
  const timer = setTimeout(() => socket.destroy(), REQUEST_WITHIN_MS)
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  socket.on('close', () => clearTimeout(timer))
  socket.on('data', (chunk: string) => {
    text += chunk
    const end = text.indexOf('\n')
    if (end === -1) {
      if (text.length > MAX_REQUEST_BYTES) reply(socket, { ok: false, error: 'the request is too long' })
      return
    }
    socket.pause()
    clearTimeout(timer)
    void respond(text.slice(0, end), answer).then((response) => reply(socket, response))
  })
}

async function respond(line: string, answer: (request: ControlRequest) => Promise<unknown>): Promise<ControlResponse> {
  try {
    return { ok: true, result: await answer(parseRequest(line)) }
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) }
  }
}

function parseRequest(line: string): ControlRequest {
  const request: unknown = JSON.parse(line)
  if (typeof request !== 'object' || request === null || !('command' in request)) throw new Error('not a request')
  return request as ControlRequest
}

function reply(socket: Socket, response: ControlResponse): void {
  if (!socket.destroyed) socket.end(`${JSON.stringify(response)}\n`)
}
