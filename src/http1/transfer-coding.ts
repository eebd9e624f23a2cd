/** RFC 9112 §6.1: with a tab beside it llhttp, for one, takes it for another coding. */
const PLAINLY_CHUNKED = /\ntransfer-encoding: *chunked *\r\n/i

/** Whether a head names the one coding that is taken, in a way that nobody reads as another. */
export function isPlainlyChunked(headText: string): boolean {
  return PLAINLY_CHUNKED.test(headText)
}
