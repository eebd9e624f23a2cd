const FNV_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** 32 bits of the text from `start` to `end` (FNV-1a over its code units). */
export function hashText(text: string, start: number, end: number = text.length): number {
  let hash = FNV_BASIS
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME)
  return mixBits(hash)
}

/** Spreads every bit over all of them (the last step of MurmurHash3). Unsigned. */
export function mixBits(value: number): number {
  let bits = value
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
