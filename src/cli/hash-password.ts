import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import type { Command } from 'commander'
import { hashPassword } from '../password.ts'
import { act, formatExamples } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { CommandError, type Outcome } from './outcome.ts'

export function addHashPassword(program: Command): void {
  program
    .command('hash-password')
    .description('make the hash of a password for `auth.basic.users`')
    .addHelpText(
      'after',
      formatExamples([
        ['hash-password', 'asks for it on the terminal, unseen'],
        ['hash-password < password.txt', 'the first line of a file'],
      ]),
    )
    .action(act(makeHash))
}

async function makeHash(): Promise<Outcome> {
  const password = process.stdin.isTTY ? await askTwice() : ((await readText(process.stdin)).split(/\r?\n/)[0] ?? '')
  if (password === '') throw new CommandError('an empty password is none')
  const hash = await hashPassword(password)
  return { exitCode: EXIT.done, document: { hash }, text: `${hash}\n` }
}

async function askTwice(): Promise<string> {
  const first = await askUnseen('Password: ')
  if ((await askUnseen('Again: ')) !== first) throw new CommandError('the two are not the same')
  return first
}

async function askUnseen(prompt: string): Promise<string> {
  process.stderr.write(prompt)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
