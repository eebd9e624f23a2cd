/** Where one contender listens, what is behind it, and its own directory. Everything is on 127.0.0.1. */
export interface Site {
  readonly dir: string
  readonly port: number
  readonly tlsPort: number
  readonly backendPort: number
  /** What is asked for below `/ws` goes there. */
  readonly webSocketPort: number
  /** PEM. */
  readonly certFile: string
  readonly keyFile: string
  /** Both of them in one file. */
  readonly pemFile: string
  /** To `access.log` in the directory. */
  readonly accessLog: boolean
}

/** How to start a program in the foreground. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Content of files in its directory, by name. */
  readonly files: Readonly<Record<string, string>>
  /** File in its directory that takes what it prints; by default nobody reads it. */
  readonly output?: string
}
