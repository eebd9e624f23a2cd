import { setTimeout as delay } from 'node:timers/promises'
import { ClientConnection, ClientError, type Reply } from './http-client.ts'

export interface PacedLoad {
  readonly startedMs: number
  /** When each answer came, by its status. */
  readonly answers: ReadonlyMap<number, readonly number[]>
  readonly lastReply: Reply | undefined
  stop(): Promise<void>
}

export interface PacedLoadOptions {
  readonly port: number
  readonly path: string
  readonly clients: number
  /** Of each client after an answer. */
  readonly pauseMs: number
}

/** Requests are sent over one connection a few times, then over another, so that every worker gets some. */
const REQUESTS_PER_CONNECTION = 8

/** Clients that ask again and again, whatever they are answered, and come back where a connection is lost. */
export function startPacedLoad({ port, path, clients, pauseMs }: PacedLoadOptions): PacedLoad {
  const startedMs = performance.now()
  const answers = new Map<number, number[]>()
  let isOver = false
  let lastReply: Reply | undefined

  async function ask(connection: ClientConnection): Promise<boolean> {
    const reply = await connection.request({ path })
    lastReply = reply
    const times = answers.get(reply.status) ?? []
    times.push(performance.now())
    answers.set(reply.status, times)
    return reply.kept
  }

  async function run(index: number): Promise<void> {
    await delay((index * pauseMs) / clients)
    while (!isOver) {
      const connection = new ClientConnection({ port })
      try {
        for (let i = 0; i < REQUESTS_PER_CONNECTION && !isOver; i++) {
          if (!(await ask(connection))) break
          await delay(pauseMs)
        }
      } catch (error) {
        if (!(error instanceof ClientError)) throw error
      } finally {
        connection.destroy()
      }
    }
  }

  const running = Promise.all(Array.from({ length: clients }, (_, i) => run(i)))
  return {
    startedMs,
    answers,
    get lastReply() {
      return lastReply
    },
    async stop() {
      isOver = true
      await running
    },
  }
}
