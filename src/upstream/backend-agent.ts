import * as http from 'node:http'
import * as https from 'node:https'
import type { Backend } from './backend.ts'
import { createTlsOptions } from './tls-options.ts'

/**
 * Below the 5 s after which node and others close an idle connection without a word: a request that crosses such a
 * close cannot be repeated unless it is idempotent. A backend's `Keep-Alive: timeout` shortens it further.
 */
const KEPT_IDLE_MS = 4_000
const MAX_KEPT = 1_024

/** The kept connections to one backend. */
export interface BackendAgent {
  readonly agent: http.Agent
  /** Closes the connections that are idle now; those in use are kept again. */
  closeIdle(): void
  /** Closes the idle connections now and the others once they are idle. */
  retire(): void
}

/** Throws where the backend's certificate or key cannot be used. */
export function createBackendAgent({ key, config }: Backend): BackendAgent {
  const options: https.AgentOptions = {
    keepAlive: true,
    maxFreeSockets: MAX_KEPT,
    scheduling: 'lifo',
    timeout: KEPT_IDLE_MS,
  }
  const agent =
    config.tls === undefined
      ? new http.Agent(options)
      : new https.Agent({ ...options, ...createTlsOptions(config.host, config.tls) })
  let retired = false

  // Every request of this agent goes to one place; node's own name holds the certificates and is built per request.
  agent.getName = () => key

  const keepSocketAlive = agent.keepSocketAlive.bind(agent)
  agent.keepSocketAlive = (socket) => !retired && keepSocketAlive(socket)

  const closeIdle = () => {
    for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
  }
  return {
    agent,
    closeIdle,
    retire() {
      retired = true
      closeIdle()
    },
  }
}
