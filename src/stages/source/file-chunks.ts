import type { Encoding } from '../../util/encoding.ts'
import { file } from './file.ts'
import type { StreamChunk } from './line-stream.ts'
import { BUSY, NOTHING_OUTSIDE } from './source.ts'

/**
 * Reads one file from beginning to end, plain or compressed, as the file source does. `sourceId` goes into row ids; `tell` is called with a
 * sentence if part of the file cannot be read or was skipped.
 */
export async function* fileChunks(
  path: string,
  {
    sourceId,
    maxRecordBytes,
    tell,
    encoding,
  }: {
    readonly encoding?: Encoding | undefined
    readonly sourceId: string
    readonly maxRecordBytes: number
    readonly tell: (notice: string, isProblem: boolean) => void
  },
): AsyncGenerator<StreamChunk> {
  const source = file.seekable!(
    {
      id: sourceId,
      log_types: [],
      filters: [],
      tables: {},
      volume_alarm: false,
      stream_type: 'auto',
      encoding,
      paths: [onlyThis(path)],
      poll_ms: 1000,
      idle_ms: 0,
    },
    { cursors: [], wake: () => {}, now: Date.now, maxRecordBytes, outside: NOTHING_OUTSIDE },
  )
  try {
    for (;;) {
      const extent = await source.next()
      if (extent === BUSY) continue
      if (!extent) break
      for (const chunk of await source.read(extent)) yield { chunk, parsed: (context) => source.parsed(extent, context) }
    }
    const { notices, problems = [] } = source.status()
    for (const notice of notices) tell(notice, problems.includes(notice))
  } finally {
    await source.close()
  }
}

/** A path as a pattern that matches only itself. */
function onlyThis(path: string): string {
  return path.replace(/[\\*?[\]{}()!+@|$]/g, '\\$&')
}
