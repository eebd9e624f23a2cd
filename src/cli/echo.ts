import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { act, formatExamples } from './command.ts'
import { startEcho } from './echo-server.ts'
import { EXIT } from './exit-codes.ts'
import { CommandError, type Outcome } from './outcome.ts'
import { parsePort } from './server-flags.ts'

interface EchoCommandOptions {
  readonly port: number
  readonly host: string
  readonly ssl?: boolean
  readonly cert?: string
  readonly key?: string
  readonly json?: boolean
}

export function addEcho(program: Command): void {
  program
    .command('echo')
    .description('a sample backend that answers HTTP and WebSocket with what it received')
    .requiredOption('-p, --port <port>', 'port to listen on; 0: any free one', parsePort)
    .option('-H, --host <address>', 'address to listen on', '127.0.0.1')
    .option('--ssl', 'speak TLS; needs --cert and --key')
    .option('--cert <file>', 'certificate, PEM')
    .option('--key <file>', 'private key, PEM')
    .addHelpText(
      'after',
      formatExamples([
        ['echo --port 3000', 'its first line is its URL'],
        ['echo --port 0 --ssl --cert cert.pem --key key.pem', 'any free port, with TLS'],
      ]),
    )
    .action(act<EchoCommandOptions>((_context, options) => serveEcho(options)))
}

async function serveEcho({ host, port, ssl, cert, key, json }: EchoCommandOptions): Promise<Outcome> {
  if (ssl && (cert === undefined || key === undefined)) {
    throw new CommandError('--ssl needs --cert and --key', { exitCode: EXIT.usage })
  }
  const tls = ssl && cert && key ? { cert: readPem(cert), key: readPem(key) } : undefined
  const server = await startEcho({ host, port, tls }).catch((error: Error) => {
    throw new CommandError(`cannot listen on ${host}:${port}: ${error.message}`, { cause: error })
  })
  process.stdout.write(
    json ? `${JSON.stringify({ ok: true, url: server.url, port: server.port })}\n` : `${server.url}\n`,
  )
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  await server.close()
  return { exitCode: EXIT.done, document: undefined }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${(error as Error).message}`, { cause: error })
  }
}
