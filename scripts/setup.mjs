import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { build } from './build.mjs'
import { isMain, outerPath, root, runQuietly } from './run.mjs'

/** Installs and builds what is missing or out of date. Throws with the output of the step that failed. */
export async function setUp() {
  if (isInstallStale()) {
    console.log('setup: npm ci')
    const { code, output } = await runQuietly('npm', ['ci'], { ...process.env, PATH: outerPath() })
    if (code !== 0) throw new Error(`npm ci failed\n${output}`)
  }
  if (isBuildStale()) {
    console.log('setup: build')
    build()
  }
}

/**
 * Installs the programs of `needed` ({ command, package }) that PATH lacks, where this is root with apt-get. A package
 * that brings a `service` is not installed where systemd would start it.
 * What is still missing afterwards is an error under CI=true and a printed notice elsewhere.
 */
export async function ensurePrograms(needed) {
  const missing = () => needed.filter(({ command }) => !isOnPath(command))
  if (missing().length === 0) return
  const packages = [...new Set(missing().map((program) => program.package))]
  const wanted = [
    ...new Set(
      missing()
        .filter(isHarmless)
        .map((program) => program.package),
    ),
  ]
  let output = ''
  if (wanted.length > 0 && process.getuid?.() === 0 && isOnPath('apt-get')) {
    console.log(`setup: apt-get install ${wanted.join(' ')}`)
    output = await aptInstall(wanted)
  }
  const left = missing().map(({ command }) => command)
  if (left.length === 0) return
  const message = `not installed: ${left.join(', ')} (Debian: apt-get install ${packages.join(' ')})`
  if (process.env.CI === 'true') throw new Error(`${message}\n${output}`)
  console.log(`setup: ${message}; tests that need them are skipped`)
}

function isInstallStale() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installed) || !existsSync(join(root, 'node_modules', '.bin', 'node'))) return true
  return statSync(installed).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs
}

function isBuildStale() {
  const dist = join(root, 'dist')
  if (!existsSync(join(dist, 'cli.js'))) return true
  const newestMs = Math.max(newestMtimeMs(join(root, 'src')), statSync(join(root, 'tsconfig.json')).mtimeMs)
  return statSync(dist).mtimeMs < newestMs
}

// Folders count too: a file that was deleted or renamed leaves its trace only there.
function newestMtimeMs(folder) {
  const inside = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? newestMtimeMs(path) : statSync(path).mtimeMs
  })
  return Math.max(statSync(folder).mtimeMs, ...inside)
}

function isHarmless({ service }) {
  return !service || !existsSync('/run/systemd/system')
}

function isOnPath(command) {
  // A user's PATH does not name where Debian has servers.
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].some((dir) => {
    try {
      accessSync(join(dir, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

async function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const install = ['install', '-y', '-q', '--no-install-recommends', ...packages]
  const first = await runQuietly('apt-get', install, env)
  if (first.code === 0) return first.output
  // A fresh image has no package lists yet.
  const update = await runQuietly('apt-get', ['update', '-q'], env)
  const second = await runQuietly('apt-get', install, env)
  return `${update.output}${second.output}`
}

if (isMain(import.meta.url)) {
  try {
    await setUp()
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
