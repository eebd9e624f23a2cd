export type AckKind = 'prepare' | 'commit' | 'drain' | 'health'

/** How a worker answered: `late` within the deadline not at all, `gone` before it could. */
export type Ack =
  | { readonly kind: 'done'; readonly tookMs: number }
  | { readonly kind: 'rejected'; readonly tookMs: number; readonly problem: string }
  | { readonly kind: 'late'; readonly tookMs: number }
  | { readonly kind: 'gone'; readonly tookMs: number }

interface Expectation {
  readonly what: AckKind
  readonly version: number
  settle(kind: 'done' | 'late' | 'gone', problem?: string): void
}

/** Answers that are awaited from one worker. */
export class AckDesk {
  readonly #expected = new Set<Expectation>()
  #closed = false

  /** Never rejects. */
  expect(what: AckKind, version: number, deadlineMs: number): Promise<Ack> {
    if (this.#closed) return Promise.resolve({ kind: 'gone', tookMs: 0 })
    return new Promise((resolve) => {
      const startMs = performance.now()
      const expectation: Expectation = {
        what,
        version,
        settle: (kind, problem) => {
          clearTimeout(timer)
          this.#expected.delete(expectation)
          const tookMs = Math.round(performance.now() - startMs)
          resolve(problem === undefined ? { kind, tookMs } : { kind: 'rejected', tookMs, problem })
        },
      }
      const timer = setTimeout(() => expectation.settle('late'), deadlineMs)
      this.#expected.add(expectation)
    })
  }

  /** An answer came; without a problem it is a yes. One that nobody waits for any more is dropped. */
  settle(what: AckKind, version: number, problem: string | undefined): void {
    for (const expectation of this.#expected) {
      if (expectation.what === what && expectation.version === version) expectation.settle('done', problem)
    }
  }

  /** No answer will come any more. */
  giveUp(): void {
    this.#closed = true
    for (const expectation of this.#expected) expectation.settle('gone')
  }
}
