import { createHash } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { watch } from 'chokidar'

const DEBOUNCE_MS = 100
/** How often files are looked at without an event: a directory that was exchanged whole makes none, nor do some mounts. */
const RECHECK_MS = 5_000

export interface WatchOptions {
  /** Called once for every change of content; never for a mere event. */
  changed(): void
  /** Watching goes on as well as it can. */
  failed(error: Error): void
  readonly debounceMs?: number
  readonly recheckMs?: number
}

export interface FileWatch {
  /** Takes the content as it is now for known: called before the files are loaded, no later change is lost. */
  mark(): Promise<void>
  /** Watches these files from now on. A change of a file that was watched before is not lost by it. */
  update(files: readonly string[]): Promise<void>
  close(): Promise<void>
}

/**
 * Watches files through their directories, so that a rename over them, a Kubernetes `..data` symlink swap and a return
 * after deletion are seen. Events are hints only: files are read again and their content decides.
 */
export async function watchFiles(files: readonly string[], options: WatchOptions): Promise<FileWatch> {
  const { changed, failed, debounceMs = DEBOUNCE_MS, recheckMs = RECHECK_MS } = options
  let contents = new Map<string, string>()
  let directories = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const watcher = watch([], { depth: 0, ignoreInitial: true, followSymlinks: false })
  watcher.on('all', hint)
  watcher.on('error', (error) => failed(error instanceof Error ? error : new Error(String(error))))

  const recheck = setInterval(() => timer === undefined && hint(), recheckMs).unref()

  function hint(): void {
    clearTimeout(timer)
    if (!closed) timer = setTimeout(() => void compare(), debounceMs)
  }

  async function compare(): Promise<void> {
    timer = undefined
    const before = contents
    const now = await readContents(before.keys())
    // An update in between compares again by itself.
    if (closed || before !== contents) return
    contents = now
    if ([...now].every(([file, content]) => before.get(file) === content)) return
    await follow(now.keys())
    if (!closed) changed()
  }

  async function mark(): Promise<void> {
    contents = await readContents(contents.keys())
  }

  async function update(next: readonly string[]): Promise<void> {
    const now = await readContents(next)
    for (const [file, content] of contents) if (now.has(file)) now.set(file, content)
    contents = now
    await follow(next)
    hint()
  }

  async function follow(next: Iterable<string>): Promise<void> {
    const wanted = await directoriesOf(next)
    const unwanted = [...directories.difference(wanted)]
    directories = wanted
    if (closed) return
    if (unwanted.length > 0) watcher.unwatch(unwanted)
    watcher.add([...wanted])
  }

  await update(files)
  return {
    mark,
    update,
    async close() {
      closed = true
      clearTimeout(timer)
      clearInterval(recheck)
      await watcher.close()
    },
  }
}

/** Where a file stands, and where it really is: a change behind a symbolic link makes no event beside the link. */
async function directoriesOf(files: Iterable<string>): Promise<Set<string>> {
  const directories = new Set<string>()
  for (const file of files) {
    directories.add(dirname(file))
    const real = await realpath(file).catch(() => undefined)
    if (real !== undefined) directories.add(dirname(real))
  }
  return directories
}

/** A file that cannot be read has a content of its own: that it goes and returns is a change. */
async function readContents(files: Iterable<string>): Promise<Map<string, string>> {
  const entries = [...files].map(async (file): Promise<[string, string]> => {
    try {
      return [
        file,
        createHash('sha256')
          .update(await readFile(file))
          .digest('hex'),
      ]
    } catch (error) {
      return [file, `unreadable: ${(error as NodeJS.ErrnoException).code}`]
    }
  })
  return new Map(await Promise.all(entries))
}
