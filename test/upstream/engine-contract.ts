import { describe } from 'node:test'
import type { UpstreamEngine } from '../../src/upstream/engine.ts'
import { describeBackendTls } from './contract/backend-tls.ts'
import { describeConnections } from './contract/connections.ts'
import { describeMalformedResponses } from './contract/malformed-responses.ts'
import { describeRequestBodies } from './contract/request-bodies.ts'
import { describeRequestHeads } from './contract/request-heads.ts'
import { describeResponses } from './contract/responses.ts'
import { describeTimeouts } from './contract/timeouts.ts'
import { describeUpgrades } from './contract/upgrades.ts'

/** What every engine must do, whatever it is made of: one suite, run against each. */
export function runEngineContract(name: string, createEngine: () => UpstreamEngine): void {
  const subject = { name, createEngine }
  describe(`the engine ${name}`, { timeout: 120_000 }, () => {
    describeRequestHeads(subject)
    describeRequestBodies(subject)
    describeResponses(subject)
    describeMalformedResponses(subject)
    describeConnections(subject)
    describeTimeouts(subject)
    describeBackendTls(subject)
    describeUpgrades(subject)
  })
}
