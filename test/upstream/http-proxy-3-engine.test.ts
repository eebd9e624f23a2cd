import { createHttpProxy3Engine } from '../../src/upstream/http-proxy-3-engine.ts'
import { runEngineContract } from './engine-contract.ts'

runEngineContract('http-proxy-3', createHttpProxy3Engine)
