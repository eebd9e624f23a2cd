/** What is known of a backend's health beside `up`, by the key of the backend. */
export type HealthStates = Readonly<Record<string, 'down' | 'drained'>>

/** What the requests of one worker have told of a backend. */
export interface BackendTrouble {
  /** The backend's. */
  readonly key: string
  /** Milliseconds until it is taken back; 0: it is not ejected. */
  readonly ejectedForMs: number
  /** How many ejections followed each other closely. */
  readonly ejections: number
  /** Milliseconds until its open circuit lets a probe through; 0 where it is closed. */
  readonly openForMs: number
  /** How often its circuit was opened since it was closed; 0: it is closed. */
  readonly openings: number
  /** The reason of the failure that brought it about; '' where it is over. */
  readonly why: string
}
