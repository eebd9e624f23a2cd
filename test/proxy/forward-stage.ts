import assert from 'node:assert/strict'
import type { RouteConfig, UpstreamConfig } from '../../src/config/config.ts'
import type { BodySource } from '../../src/exchange.ts'
import type { AccessRecord } from '../../src/log/access-log.ts'
import type { WorkerMetrics } from '../../src/metrics/worker-metrics.ts'
import { Forward } from '../../src/proxy/forward.ts'
import { TunnelSet } from '../../src/proxy/tunnel-set.ts'
import { compileWorld } from '../../src/proxy/world.ts'
import { parseRequestTarget } from '../../src/routing/request-target.ts'
import type { Backend } from '../../src/upstream/backend.ts'
import { BackendRegistry } from '../../src/upstream/backend-registry.ts'
import type { Attempt, UpgradeSink, UpstreamEngine, UpstreamRequest } from '../../src/upstream/engine.ts'
import { builtConfig, upstreamOf } from '../helpers/built-config.ts'
import { noLimits } from '../helpers/limits.ts'
import type { RecordedResponder } from '../helpers/responder.ts'
import { arrive } from './arrival-stage.ts'

/** One attempt as the engine was asked for it. */
export interface AskedAttempt {
  readonly backend: Backend
  readonly request: UpstreamRequest
  readonly sink: UpgradeSink
}

export interface Stage {
  readonly forward: Forward
  readonly responder: RecordedResponder
  readonly records: AccessRecord[]
  readonly metrics: WorkerMetrics
  /** What was asked of attempts: `resume`, `abort`. */
  readonly calls: string[]
  readonly backend: Backend
  readonly backends: readonly Backend[]
  readonly attempts: AskedAttempt[]
}

export interface StageOptions {
  readonly totalMs?: number
  readonly method?: string
  readonly body?: BodySource
  /** 1 by default. */
  readonly backends?: number
  readonly retries?: Partial<RouteConfig['retries']>
  readonly upstream?: Partial<UpstreamConfig>
  /** What the backends went through before. */
  readonly before?: (backends: readonly Backend[]) => void
  /** Called before the engine returns its attempt. */
  readonly atOnce?: (attempt: AskedAttempt) => void
}

/** A forward that has begun, on an engine of which nothing comes but what the test makes it say. */
export function stage(options: StageOptions = {}): Stage {
  const { method = 'GET', body, atOnce } = options
  const { arrival, records, metrics, responder } = arrive({ method }, body)
  const calls: string[] = []
  const attempts: AskedAttempt[] = []
  const attempt: Attempt = { resume: () => calls.push('resume'), abort: () => calls.push('abort') }
  const ask = (asked: AskedAttempt): Attempt => {
    attempts.push(asked)
    atOnce?.(asked)
    return attempt
  }
  const engine: UpstreamEngine = {
    name: 'scripted',
    supports: { requestTrailers: true, informational: true, headerCase: true },
    request: (backend, request, sink) => ask({ backend, request, sink: sink as UpgradeSink }),
    upgrade: (backend, request, sink) => ask({ backend, request, sink }),
    forget() {},
    close() {},
  }
  const { action, world } = compileAction(options, metrics, engine)
  const [backend] = world.backends
  assert.ok(backend !== undefined)
  options.before?.(world.backends)
  const forward = new Forward({ engine, tunnels: new TunnelSet() }, action, arrival, '/x')
  forward.start()
  return { responder, records, metrics, calls, forward, backend, backends: world.backends, attempts }
}

function compileAction(options: StageOptions, metrics: WorkerMetrics, engine: UpstreamEngine) {
  const { backends = 1, totalMs = 0, retries, upstream } = options
  const members = Array.from({ length: backends }, (_, i) => ({
    host: '127.0.0.1',
    port: i + 1,
    tls: undefined,
    weight: 1,
    backup: false,
  }))
  const timeouts = { connectMs: 0, responseMs: 0, idleMs: 0, websocketIdleMs: 0, totalMs }
  const action = { kind: 'proxy', upstream: upstreamOf({ backends: members, ...upstream }) } as const
  const config = builtConfig([{ timeouts, action }])
  const routes = config.routes.map((route) => ({ ...route, retries: { ...route.retries, ...retries } }))
  const registry = new BackendRegistry(metrics)
  const world = compileWorld({ ...config, routes }, { registry, metrics, engine, limits: noLimits(), stickySecret: '' })
  const match = world.table.match('h', parseRequestTarget('/api'), 'GET')
  assert.ok(match.kind === 'route' && match.value.action.kind === 'proxy')
  return { action: match.value.action, world }
}
