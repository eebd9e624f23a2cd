import { type Command, InvalidArgumentError } from 'commander'
import type { ConfigOverrides } from '../config/overrides.ts'

const MAX_PORT = 65_535

export interface ServerFlags {
  readonly host?: string
  readonly port?: number
  readonly debug?: boolean
  readonly ssl?: boolean
  readonly cert?: string
  readonly key?: string
  readonly proxy?: readonly string[]
}

/** PyServe's flags: each wins over the environment and the file. */
export function addServerFlags(command: Command): Command {
  return command
    .option('-H, --host <address>', 'address to listen on')
    .option('-p, --port <port>', 'port to listen on; 0: any free one', parsePort)
    .option('-d, --debug', 'log level DEBUG')
    .option('--ssl', 'speak TLS to clients')
    .option('--cert <file>', 'certificate, PEM')
    .option('--key <file>', 'private key, PEM')
    .option('--proxy <host:port/path>', 'one more route; may be given several times', collect)
}

export function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > MAX_PORT) throw new InvalidArgumentError(`It must be 0 to ${MAX_PORT}.`)
  return port
}

export function pickOverrides({ host, port, debug, ssl, cert, key, proxy }: ServerFlags): ConfigOverrides {
  return { host, port, debug, ssl, cert, key, proxy }
}

/** The flags as a command line that means the same. */
export function formatServerFlags({ host, port, debug, ssl, cert, key, proxy = [] }: ServerFlags): string[] {
  const valued: readonly (readonly [string, string | number | undefined])[] = [
    ['--host', host],
    ['--port', port],
    ['--cert', cert],
    ['--key', key],
    ...proxy.map((value) => ['--proxy', value] as const),
  ]
  // One word each: a value that begins with a dash must not be taken for a flag.
  const words = valued.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag}=${value}`]))
  return [...words, ...(debug ? ['--debug'] : []), ...(ssl ? ['--ssl'] : [])]
}

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value]
}
