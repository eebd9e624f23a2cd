import { createNativeEngine } from '../../src/upstream/native/native-engine.ts'
import { runEngineContract } from './engine-contract.ts'

runEngineContract('native', createNativeEngine)
