import type { ChildProcess } from 'node:child_process'
import type { EventEmitter } from 'node:events'
import type { ToPrimary, ToWorker } from './protocol.ts'

/** A bound socket as it crosses the channel. In a worker `server.listen(handle, backlog)` takes it. */
export interface NativeHandle {
  readonly fd: number
  close(): void
}

export interface ChannelHandlers<In> {
  message(message: In, handle: NativeHandle | undefined): void
  /** Called once; nothing comes after it. */
  closed(): void
  /** A message that could not be sent, or one that is not of the protocol. The channel goes on. */
  failed(error: Error): void
}

export interface Channel<Out> {
  /** Never throws; what cannot be sent is told to `failed`, and dropped without a word once the channel is closed. */
  send(message: Out, handle?: NativeHandle): void
  /** Resolves when everything sent so far has left this process, or never will. */
  flushed(): Promise<void>
  /** Ends the channel from this side. */
  close(): void
}

/** The primary's side. */
export function openChannelToWorker(child: ChildProcess, handlers: ChannelHandlers<ToPrimary>): Channel<ToWorker> {
  return openChannel(child, TO_PRIMARY, handlers)
}

/** A worker's side; `port` is its own `process`, which must have been started with a channel. */
export function openChannelToPrimary(port: NodeJS.Process, handlers: ChannelHandlers<ToWorker>): Channel<ToPrimary> {
  return openChannel(port, TO_WORKER, handlers)
}

const TO_WORKER = {
  begin: true,
  listen: true,
  prepare: true,
  commit: true,
  discard: true,
  drain: true,
  reopen_logs: true,
  pauses: true,
  limit_reply: true,
  discovered: true,
  health: true,
  hurry_probe: true,
} as const satisfies Record<ToWorker['type'], true>

const TO_PRIMARY = {
  hello: true,
  ready: true,
  prepared: true,
  rejected: true,
  committed: true,
  failed: true,
  beat: true,
  metrics: true,
  limit_ask: true,
  health_taken: true,
  trouble: true,
  draining: true,
  drained: true,
} as const satisfies Record<ToPrimary['type'], true>

function openChannel<Out extends ToWorker | ToPrimary, In extends ToWorker | ToPrimary>(
  port: ChildProcess | NodeJS.Process,
  types: Readonly<Record<In['type'], true>>,
  handlers: ChannelHandlers<In>,
): Channel<Out> {
  let unsent = 0
  let waiting: (() => void)[] = []
  let open = port.connected === true

  function settle(): void {
    if (unsent > 0 && open) return
    for (const resolve of waiting) resolve()
    waiting = []
  }

  port.on('message', (message: unknown, handle: unknown) => {
    if (isOf(types, message)) handlers.message(message, (handle as NativeHandle | undefined) ?? undefined)
    else handlers.failed(new Error(`not a message of the protocol: ${JSON.stringify(message)?.slice(0, 200)}`))
  })
  const end = () => {
    if (!open) return
    open = false
    settle()
    handlers.closed()
  }
  // A child that dies before it took a handle has no 'disconnect', only 'close'; one that this side disconnects has no 'close'.
  for (const event of ['disconnect', 'close']) (port as EventEmitter).once(event, end)

  return {
    send(message, handle) {
      if (!open || !port.connected) return
      unsent += 1
      const sent = (error: Error | null) => {
        unsent -= 1
        if (error && open) handlers.failed(new Error(`could not send ${message.type}`, { cause: error }))
        settle()
      }
      try {
        // The types know sockets and servers only; a bare handle crosses as it is.
        port.send?.(message, handle as never, {}, sent)
      } catch (error) {
        sent(error as Error)
      }
    },
    flushed() {
      return new Promise((resolve) => {
        waiting.push(resolve)
        settle()
      })
    },
    close() {
      if (port.connected) port.disconnect?.()
    },
  }
}

function isOf<In extends ToWorker | ToPrimary>(
  types: Readonly<Record<In['type'], true>>,
  message: unknown,
): message is In {
  if (typeof message !== 'object' || message === null || !('type' in message)) return false
  return typeof message.type === 'string' && Object.hasOwn(types, message.type)
}
