import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { type Intent, listenToSignals } from '../../src/primary/signals.ts'
import { waitFor } from '../helpers/wait.ts'

test('each signal means what the documentation says, and nothing once they are let go', () => {
  const host = new EventEmitter()
  const intents: Intent[] = []
  const letGo = listenToSignals(host as NodeJS.Process, (intent) => intents.push(intent))
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT', 'SIGUSR1', 'SIGUSR2']) host.emit(signal, signal)
  assert.deepEqual(intents, ['reload', 'stop', 'stop', 'reopen_logs', 'restart'])
  letGo()
  host.emit('SIGHUP', 'SIGHUP')
  assert.equal(intents.length, 5)
})

test('an interrupt that the terminal and npm both deliver counts once, a later one again', async () => {
  const host = new EventEmitter()
  const intents: Intent[] = []
  listenToSignals(host as NodeJS.Process, (intent) => intents.push(intent))
  host.emit('SIGINT', 'SIGINT')
  host.emit('SIGINT', 'SIGINT')
  assert.deepEqual(intents, ['stop'])
  await waitFor(() => host.emit('SIGINT', 'SIGINT') && intents.length === 2, { what: 'a second key press' })
  host.emit('SIGTERM', 'SIGTERM')
  host.emit('SIGTERM', 'SIGTERM')
  assert.equal(intents.length, 4)
})
