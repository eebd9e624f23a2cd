import { readFile, stat } from 'node:fs/promises'

export type FileContent =
  | { readonly ok: true; readonly bytes: Buffer }
  /** `reason` goes after the file's name: "does not exist". */
  | { readonly ok: false; readonly reason: string }

const AT_ONCE = 64

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a directory',
  EACCES: 'may not be read: permission denied',
  EPERM: 'may not be read: permission denied',
  ELOOP: 'is a symbolic link in a circle',
}

/** Never rejects. Reads regular files only: a pipe could be waited for in vain. */
export async function readContent(path: string): Promise<FileContent> {
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) return { ok: false, reason: 'is a directory' }
    if (!stats.isFile()) return { ok: false, reason: 'is not a regular file' }
    return { ok: true, bytes: await readFile(path) }
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    return { ok: false, reason: REASONS[code] ?? `cannot be read: ${code}` }
  }
}

/** By path, each read once. */
export async function readContents(paths: Iterable<string>): Promise<ReadonlyMap<string, FileContent>> {
  const contents = new Map<string, FileContent>()
  const unique = [...new Set(paths)]
  for (let from = 0; from < unique.length; from += AT_ONCE) {
    const group = unique.slice(from, from + AT_ONCE)
    const read = await Promise.all(group.map(async (path) => [path, await readContent(path)] as const))
    for (const [path, content] of read) contents.set(path, content)
  }
  return contents
}
