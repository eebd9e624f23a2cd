import type { UpstreamConfig } from '../config/config.ts'
import type { QueueConfig } from '../config/queue-config.ts'
import type { LeaseBook } from '../limits/lease-book.ts'
import type { Backend } from './backend.ts'

/** Where backends take only so many at a time. */
export interface Room {
  readonly queue: QueueConfig
  /** Under the key of the backend; undefined: that one takes any number. */
  placesOf(backend: Backend): LeaseBook | undefined
}

export function createRoom({ queue }: UpstreamConfig, places: LeaseBook | undefined): Room | undefined {
  return places && { queue, placesOf: () => places }
}
