import type { BalancingConfig } from '../../../src/config/balancing-config.ts'
import { createBackend } from '../../../src/upstream/backend.ts'
import type { PickInput } from '../../../src/upstream/balancing/balancer.ts'
import { createMember, type Member } from '../../../src/upstream/balancing/member.ts'

export const ALGORITHMS: readonly BalancingConfig[] = [
  { kind: 'round_robin' },
  { kind: 'least_connections' },
  { kind: 'power_of_two' },
  { kind: 'least_time' },
  { kind: 'random' },
  { kind: 'ip_hash' },
  { kind: 'path_hash' },
  { kind: 'header_hash', header: 'x-user' },
]

/** Members `a`, `b`, … with these weights. */
export function createMembers(...weights: readonly number[]): Member[] {
  return weights.map((weight, i) =>
    createMember(createBackend({ host: nameAt(i), port: 80, tls: undefined }), 'api', weight),
  )
}

export function nameOf(member: Member | undefined): string | undefined {
  return member?.backend.config.host
}

export function nameAt(index: number): string {
  return String.fromCharCode(97 + index)
}

/** Another client, path and user for each number. */
export function inputOf(n: number): PickInput {
  const address = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
  const headers = ['Host', 'h', 'X-User', `user-${n}`]
  return {
    head: { method: 'GET', target: `/items/${n}?page=1`, authority: 'h', headers, httpVersion: '1.1' },
    identity: { address },
  }
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Pearson's statistic: how far counts are from what the weights promise. */
export function chiSquare(counts: readonly number[], weights: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const weight = weights.reduce((sum, one) => sum + one, 0)
  return counts.reduce((sum, count, i) => {
    const expected = (total * (weights[i] ?? 0)) / weight
    return sum + (count - expected) ** 2 / expected
  }, 0)
}

/** What chance exceeds once in a million tries, by degrees of freedom. */
export const CHI_SQUARE_LIMITS: Readonly<Record<number, number>> = { 1: 23.93, 2: 27.63, 3: 30.66, 4: 33.38 }
