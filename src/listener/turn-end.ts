/** Who left something to be done when the events of this turn of the loop are. */
export interface TurnUser {
  settle(): void
}

/** Gathers them, so that all of them together cost one callback. */
export class TurnEnd {
  #users: TurnUser[] = []
  readonly #run = () => this.#settleAll()

  add(user: TurnUser): void {
    if (this.#users.push(user) === 1) setImmediate(this.#run)
  }

  #settleAll(): void {
    const users = this.#users
    this.#users = []
    for (const user of users) user.settle()
  }
}
