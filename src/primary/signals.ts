export type Intent = 'reload' | 'stop' | 'reopen_logs' | 'restart'

const INTENTS: Readonly<Partial<Record<NodeJS.Signals, Intent>>> = {
  SIGHUP: 'reload',
  SIGTERM: 'stop',
  SIGINT: 'stop',
  SIGUSR1: 'reopen_logs',
  SIGUSR2: 'restart',
}

/** Turns signals into intents for one loop to act on; the returned function lets go of the signals. */
export function listenToSignals(process: NodeJS.Process, act: (intent: Intent) => void): () => void {
  const listener = (signal: NodeJS.Signals) => {
    const intent = INTENTS[signal]
    if (intent !== undefined) act(intent)
  }
  const signals = Object.keys(INTENTS) as NodeJS.Signals[]
  for (const signal of signals) process.on(signal, listener)
  return () => {
    for (const signal of signals) process.off(signal, listener)
  }
}
