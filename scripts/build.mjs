// Plain JavaScript for whatever Node the machine has: it runs before dependencies are there to rely on.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { isMain, root } from './run.mjs'

/** Compiles src to dist, whole or not at all. Throws with the compiler's output. */
export function build() {
  const startedAt = new Date()
  const cache = join(root, 'node_modules', '.cache', 'pyserve-ts')
  const fresh = join(cache, `dist-${process.pid}`)
  const old = join(cache, `old-${process.pid}`)
  const dist = join(root, 'dist')
  mkdirSync(cache, { recursive: true })
  try {
    const tsc = spawnSync(process.execPath, [compiler(), '-p', 'src', '--outDir', fresh], {
      cwd: root,
      encoding: 'utf8',
    })
    if (tsc.status !== 0) throw new Error(`the build failed\n${tsc.stdout ?? ''}${tsc.stderr ?? ''}${tsc.error ?? ''}`)
    chmodSync(join(fresh, 'cli.js'), 0o755)
    // The age of a build is when it began, so that a source saved while it ran counts as newer.
    utimesSync(fresh, startedAt, startedAt)
    if (existsSync(dist)) renameSync(dist, old)
    renameSync(fresh, dist)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
    rmSync(old, { recursive: true, force: true })
  }
}

function compiler() {
  return join(root, 'node_modules', 'typescript', 'bin', 'tsc')
}

if (isMain(import.meta.url)) {
  // npm runs this as `prepare` after an install without development dependencies too, and there is nothing to build with.
  if (process.argv.includes('--if-possible') && !existsSync(compiler())) process.exit(0)
  try {
    build()
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
