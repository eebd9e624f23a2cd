import { join } from 'node:path'
import type { Launch, Site } from './site.ts'

/** What every program of `programs/` gets as its one argument, as JSON. */
export function launchProgram(name: string, options: object): Launch {
  const file = join(import.meta.dirname, 'programs', `${name}.ts`)
  return { command: process.execPath, args: [file, JSON.stringify(options)], files: {} }
}

/** A server of a few lines, as the README of the package has it, with an agent that keeps connections. */
export function launchHttpProxy3(site: Site): Launch {
  return launchProgram('http-proxy-3', site)
}

/** A server of a few lines that hands each request to `Pool.dispatch`. */
export function launchUndici(site: Site): Launch {
  return launchProgram('undici', site)
}
