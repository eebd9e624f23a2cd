import type { CompressionConfig } from '../config/compression-config.ts'
import { CompressingResponder } from './compressing-responder.ts'
import { compileCompression } from './compression-plan.ts'
import type { Gate } from './gate.ts'

/** Lets every request pass, and puts what compresses before its responder. */
export function createCompressionGate(config: CompressionConfig): Gate {
  const plan = compileCompression(config)
  return {
    enter(arrival) {
      const { responder, head, log, upgrade } = arrival
      if (upgrade === undefined) arrival.responder = new CompressingResponder(responder, plan, head, log)
      return undefined
    },
  }
}
