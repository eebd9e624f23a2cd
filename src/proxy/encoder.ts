import type { Transform } from 'node:stream'
import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib'
import type { Coding } from './accept-encoding.ts'

/** One body on its way into a content coding. */
export interface Encoder {
  readonly stream: Transform
  /** Lets out what was written so far, so that it can be read at the other end. */
  flush(): void
}

/** The window as a power of two: many responses are under way at a time, and each has its own. */
const WINDOW_BITS = 18

const USUAL_LEVELS = { br: 4, gzip: 6, zstd: 3 } as const satisfies Record<Coding, number>

/** `isLive`: whatever is written comes out at once. `level`: 1 to 9; undefined: what suits a body that is made as it is sent. */
export function createEncoder(coding: Coding, isLive: boolean, level: number = USUAL_LEVELS[coding]): Encoder {
  switch (coding) {
    case 'gzip': {
      const flush = isLive ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH
      const stream = createGzip({ level, flush })
      return { stream, flush: () => stream.flush(constants.Z_SYNC_FLUSH) }
    }
    case 'br': {
      const flush = isLive ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS
      const params = { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS }
      const stream = createBrotliCompress({ params, flush })
      return { stream, flush: () => stream.flush(constants.BROTLI_OPERATION_FLUSH) }
    }
    case 'zstd': {
      const flush = isLive ? constants.ZSTD_e_flush : constants.ZSTD_e_continue
      const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: WINDOW_BITS }
      const stream = createZstdCompress({ params, flush })
      return { stream, flush: () => stream.flush(constants.ZSTD_e_flush) }
    }
  }
}
