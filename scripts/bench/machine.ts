import { readFileSync } from 'node:fs'
import { availableParallelism, release, type } from 'node:os'
import { PROGRAMS, type Program } from './contender.ts'
import type { Lab } from './lab.ts'

/** Where and with what a run was made. */
export interface Machine {
  readonly cores: number
  readonly cpu: string
  readonly kernel: string
  readonly node: string
  /** Of the programs that are there, by name. */
  readonly versions: Readonly<Record<string, string>>
  /** ISO 8601, day only. */
  readonly date: string
}

export async function describeMachine(lab: Lab): Promise<Machine> {
  const versions: Record<string, string> = {}
  for (const program of Object.values(PROGRAMS)) {
    const version = await readVersion(lab, program)
    if (version !== undefined) versions[program.command] = version
  }
  return {
    cores: availableParallelism(),
    cpu: parseCpuModel(readFileSync('/proc/cpuinfo', 'utf8')) ?? process.arch,
    kernel: `${type()} ${release()}`,
    node: process.version,
    versions,
    date: new Date().toISOString().slice(0, 10),
  }
}

/** Undefined on processors that do not say. */
export function parseCpuModel(cpuinfo: string): string | undefined {
  return /^model name\s*:\s*(.+)$/m.exec(cpuinfo)?.[1]?.trim()
}

async function readVersion(lab: Lab, { command, versionFlag }: Program): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await lab.run(command, [versionFlag])
    return /\d+\.\d+(\.\d+)?/.exec(stdout + stderr)?.[0]
  } catch {
    lab.signal.throwIfAborted()
    return undefined
  }
}
