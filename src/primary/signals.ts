export type Intent = 'reload' | 'stop' | 'reopen_logs' | 'restart'

const INTENTS: Readonly<Partial<Record<NodeJS.Signals, Intent>>> = {
  SIGHUP: 'reload',
  SIGTERM: 'stop',
  SIGINT: 'stop',
  SIGUSR1: 'reopen_logs',
  SIGUSR2: 'restart',
}

// npm and npx pass Ctrl-C on to a process that already had it from the terminal; both copies mean one key press.
const SAME_KEY_PRESS_MS = 100

/** Turns signals into intents; the returned function lets go of the signals. */
export function listenToSignals(process: NodeJS.Process, act: (intent: Intent) => void): () => void {
  let interruptedAtMs = Number.NEGATIVE_INFINITY
  const listener = (signal: NodeJS.Signals) => {
    const intent = INTENTS[signal]
    if (intent === undefined) return
    if (signal === 'SIGINT') {
      const nowMs = performance.now()
      if (nowMs - interruptedAtMs < SAME_KEY_PRESS_MS) return
      interruptedAtMs = nowMs
    }
    act(intent)
  }
  const signals = Object.keys(INTENTS) as NodeJS.Signals[]
  for (const signal of signals) process.on(signal, listener)
  return () => {
    for (const signal of signals) process.off(signal, listener)
  }
}
