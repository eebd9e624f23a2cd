import { createHash, randomBytes, type ScryptOptions, scrypt, scryptSync, timingSafeEqual } from 'node:crypto'

/** What new hashes cost: 32 MB and some 60 ms of one core. */
const LOG_COST = 15
const QUICK_LOG_COST = 10
const BLOCK_SIZE = 8
const PARALLELIZATION = 1
const SALT_BYTES = 16
const HASH_BYTES = 32

/** A password as it is kept: `$scrypt$ln=15,r=8,p=1$salt$hash`, the last two in base64 without padding. */
export interface PasswordHash {
  readonly options: ScryptOptions
  readonly salt: Buffer
  readonly hash: Buffer
}

const FORMAT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/
const MOST_LOG_COST = 20

/** Undefined for what is no hash of `hashPassword`, or costs more than a proxy should spend. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, ln = '', r = '', p = '', salt = '', hash = ''] = FORMAT.exec(text) ?? []
  const logCost = Number(ln)
  if (ln === '' || logCost < 10 || logCost > MOST_LOG_COST) return undefined
  const options = optionsOf(logCost, Number(r), Number(p))
  if (Number(r) === 0 || Number(r) > 16 || Number(p) === 0 || Number(p) > 4) return undefined
  return { options, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

/** Takes its time, but not that of the event loop. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, HASH_BYTES, optionsOf(LOG_COST, BLOCK_SIZE, PARALLELIZATION))
  return format(LOG_COST, salt, hash)
}

/**
 * For a password that stands in the clear elsewhere: a hash that is quick, some 3 ms, and always the same, so that it does not
 * look like a change. `place` tells equal passwords apart.
 */
export function hashPlainPassword(password: string, place: string): string {
  const salt = createHash('sha256').update(place).digest().subarray(0, SALT_BYTES)
  const options = optionsOf(QUICK_LOG_COST, BLOCK_SIZE, PARALLELIZATION)
  return format(QUICK_LOG_COST, salt, scryptSync(password.normalize('NFC'), salt, HASH_BYTES, options))
}

/** Takes as long for a wrong password as for the right one. */
export async function isPassword(password: string, { options, salt, hash }: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, salt, hash.length, options), hash)
}

function derive(password: string, salt: Buffer, bytes: number, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, bytes, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

function optionsOf(logCost: number, r: number, p: number): ScryptOptions {
  const N = 2 ** logCost
  return { N, r, p, maxmem: 256 * N * r + 1024 * 1024 }
}

function format(logCost: number, salt: Buffer, hash: Buffer): string {
  return `$scrypt$ln=${logCost},r=${BLOCK_SIZE},p=${PARALLELIZATION}$${toBase64(salt)}$${toBase64(hash)}`
}

function toBase64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
