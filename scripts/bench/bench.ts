import { type Instance, startInstance, waitForPort } from './instance.ts'
import { findFreePorts, type Lab } from './lab.ts'
import { launchBackend } from './nginx.ts'
import { launchProgram } from './node-proxies.ts'
import type { Launch, Site } from './site.ts'

export interface BenchOptions {
  readonly rounds: number
  /** Of each window. */
  readonly seconds: number
  /** Before the first window of a contender under a load; later ones need less. */
  readonly warmUpSeconds: number
  /** Idle connections whose memory is measured. */
  readonly idleConnections: number
}

/** What every measurement needs: the place, the backends, how long, and where to say how far it is. */
export interface Bench extends BenchOptions {
  readonly lab: Lab
  readonly backendPort: number
  readonly webSocketPort: number
  say(text: string): void
}

/** Starts the backends. They end with the lab. */
export async function createBench(lab: Lab, options: BenchOptions, say: Bench['say']): Promise<Bench> {
  const [backendPort = 0, webSocketPort = 0] = await findFreePorts(2)
  const dir = lab.makeDir('backend')
  const backend = lab.start(dir, launchBackend({ dir, ports: [backendPort] }))
  const echoDir = lab.makeDir('websocket-echo')
  const echo = lab.start(echoDir, launchProgram('websocket-echo', { port: webSocketPort }))
  await waitForPort(lab, backend, dir, backendPort)
  await waitForPort(lab, echo, echoDir, webSocketPort)
  return { ...options, lab, backendPort, webSocketPort, say }
}

/** A directory and ports for a contender. */
export async function prepareSite(bench: Bench, name: string, accessLog = false): Promise<Site> {
  const { lab, backendPort, webSocketPort } = bench
  const [port = 0, tlsPort = 0] = await findFreePorts(2)
  const { certFile, keyFile, pemFile } = lab
  const dir = lab.makeDir(name.replaceAll(/[^\w-]+/g, '-'))
  return { dir, port, tlsPort, backendPort, webSocketPort, certFile, keyFile, pemFile, accessLog }
}

/** Starts a contender. Rejects with what it printed where it does not become ready. */
export async function startContender(
  bench: Bench,
  name: string,
  launch: (site: Site) => Launch,
  accessLog = false,
): Promise<Instance> {
  const site = await prepareSite(bench, name, accessLog)
  return startInstance(bench.lab, name, site, launch(site))
}
