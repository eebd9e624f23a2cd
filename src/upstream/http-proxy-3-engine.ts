import { ProxyServer, type ServerOptions } from 'http-proxy-3'
import type { Backend } from './backend.ts'
import { type BackendAgent, createBackendAgent } from './backend-agent.ts'
import type { Attempt, ResponseSink, UpstreamEngine, UpstreamRequest } from './engine.ts'
import { HttpCall, type HttpCallHooks } from './http-call.ts'
import {
  createIncomingFacade,
  createOutgoingOptions,
  type IncomingFacade,
  OUTGOING_FACADE,
} from './http-proxy-3-facade.ts'
import { upgrade } from './upgrade.ts'

type SendThrough = (
  incoming: IncomingFacade,
  outgoing: typeof OUTGOING_FACADE,
  options: ServerOptions,
  onError: () => void,
) => void

/**
 * Requests through http-proxy-3, of which only the pass that makes the request is left: head, body, response, time
 * limits and errors are this project's. Upgrades do not go through it.
 */
export function createHttpProxy3Engine(): UpstreamEngine {
  const sendThrough = createHardenedProxy()
  const agents = new Map<string, BackendAgent>()

  const agentOf = (backend: Backend): BackendAgent => {
    const known = agents.get(backend.key)
    if (known !== undefined) return known
    const created = createBackendAgent(backend)
    agents.set(backend.key, created)
    return created
  }

  const begin = (backend: Backend, request: UpstreamRequest, sink: ResponseSink, hooks: HttpCallHooks): HttpCall => {
    const call = new HttpCall(request, sink, hooks)
    call.start(() => {
      // node:http would write it in upper case, and that is another method (RFC 9110 §9.1).
      if (request.method !== request.method.toUpperCase()) throw new Error(`method ${request.method}`)
      const options = createOptions(backend, agentOf(backend), request)
      sendThrough(createIncomingFacade(request, call), OUTGOING_FACADE, options, ignoreError)
    })
    return call
  }

  return {
    name: 'http-proxy-3',
    supports: { requestTrailers: true, informational: true, headerCase: true },
    request(backend, request, sink) {
      return createRepeatableAttempt((isRepeated, hooks) => {
        // The last connection to become idle is taken first: where it is dead, the others are older still.
        if (isRepeated) agentOf(backend).closeIdle()
        return begin(backend, request, isRepeated ? withoutConnected(sink) : sink, hooks)
      })
    },
    upgrade,
    forget(backend) {
      agents.get(backend.key)?.retire()
      agents.delete(backend.key)
    },
    close() {
      for (const agent of agents.values()) agent.retire()
      agents.clear()
    },
  }
}

function createHardenedProxy(): SendThrough {
  // Set, it sends every request through fetch, which follows redirects and decodes bodies.
  delete process.env['FORCE_FETCH_PATH']
  const proxy = new ProxyServer({
    prependPath: false,
    selfHandleResponse: true,
    toProxy: true,
  })
  // The others rewrite framing (request smuggling), trust the client's X-Forwarded fields, and set socket timers.
  const internals = proxy as unknown as { webPasses: readonly { readonly name: string }[] }
  internals.webPasses = internals.webPasses.filter(({ name }) => name === 'stream')
  if (internals.webPasses.length !== 1) throw new Error('http-proxy-3 has no stream pass')
  return proxy.web as unknown as SendThrough
}

function createOptions({ config }: Backend, { agent }: BackendAgent, request: UpstreamRequest): ServerOptions {
  const { host: name, port, tls, address: host = name } = config
  return {
    target: { protocol: tls === undefined ? 'http:' : 'https:', host, hostname: host, port },
    agent,
    secure: tls?.verify ?? true,
    ssl: createOutgoingOptions(request),
  }
}

/** One repetition at most, where a kept connection turned out to be dead. */
function createRepeatableAttempt(begin: (isRepeated: boolean, hooks: HttpCallHooks) => HttpCall): Attempt {
  let call = begin(false, {
    stale: () => {
      call = begin(true, {})
    },
  })
  return {
    resume: () => call.resume(),
    abort: () => call.abort(),
  }
}

function withoutConnected(sink: ResponseSink): ResponseSink {
  return {
    connected: () => {},
    inform: (status, headers) => sink.inform(status, headers),
    head: (head) => sink.head(head),
    data: (chunk) => sink.data(chunk),
    end: (trailers) => sink.end(trailers),
    fail: (failure) => sink.fail(failure),
  }
}

/** The call listens to the outgoing request itself. */
function ignoreError(): void {}
