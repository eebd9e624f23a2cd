/** What the starter of this program gave it. Throws where that is not JSON. */
export function readOptions<T>(): T {
  return JSON.parse(process.argv[2] ?? '') as T
}
