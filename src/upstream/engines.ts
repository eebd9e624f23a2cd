import type { ServerConfig } from '../config/config.ts'
import type { UpstreamEngine } from './engine.ts'
import { createHttpProxy3Engine } from './http-proxy-3-engine.ts'
import { createNativeEngine } from './native/native-engine.ts'

const ENGINES: Readonly<Record<ServerConfig['engine'], () => UpstreamEngine>> = {
  native: createNativeEngine,
  'http-proxy-3': createHttpProxy3Engine,
}

/** The engine that `server.engine` names. */
export function createEngine(name: ServerConfig['engine']): UpstreamEngine {
  return ENGINES[name]()
}
