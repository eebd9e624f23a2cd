import type { Backend } from '../backend.ts'
import type { PoolUse, UpstreamEngine } from '../engine.ts'
import { upgrade } from '../upgrade.ts'
import { type ResolveHost, resolveHost } from './address-cache.ts'
import { ConnectionPool } from './connection-pool.ts'
import { Dialer } from './dialer.ts'
import { NativeCall } from './native-call.ts'

const READ_BYTES = 65_536
const UNUSED: PoolUse = { busy: 0, idle: 0 }

export interface NativeEngineOptions {
  readonly resolveHost?: ResolveHost
}

export interface NativeEngine extends UpstreamEngine {
  poolUse(backend: Backend): PoolUse
}

/** Requests through an HTTP/1.1 client of our own, on sockets. */
export function createNativeEngine(options: NativeEngineOptions = {}): NativeEngine {
  const resolve = options.resolveHost ?? resolveHost
  const pools = new Map<string, ConnectionPool>()
  const sharedBuffer = Buffer.allocUnsafeSlow(READ_BYTES)

  const poolOf = (backend: Backend): ConnectionPool => {
    const known = pools.get(backend.key)
    if (known !== undefined) return known
    const created = new ConnectionPool(new Dialer(backend, resolve), sharedBuffer)
    pools.set(backend.key, created)
    return created
  }

  return {
    name: 'native',
    supports: { requestTrailers: true, informational: true, headerCase: true },
    request(backend, request, sink) {
      const call = new NativeCall(poolOf(backend), request, sink)
      // The sink hears nothing before the attempt is in the caller's hands.
      process.nextTick(begin, call)
      return call
    },
    upgrade,
    forget(backend) {
      pools.get(backend.key)?.retire()
      pools.delete(backend.key)
    },
    close() {
      for (const pool of pools.values()) pool.retire()
      pools.clear()
    },
    poolUse: (backend) => pools.get(backend.key)?.use ?? UNUSED,
  }
}

function begin(call: NativeCall): void {
  call.begin()
}
