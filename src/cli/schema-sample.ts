import { stat } from 'node:fs/promises'
import { readSample, type Sample } from '../packs/infer/sample.ts'
import { fileChunks } from '../stages/source/file-chunks.ts'
import { type StreamChunk, streamChunks } from '../stages/source/line-stream.ts'
import { ConfigError, messageOf } from '../util/errors.ts'
import { hash16 } from '../util/hash.ts'
import type { Io } from './io.ts'

const MAX_RECORD_BYTES = 10 * 1024 * 1024

/** The records of files, plain or compressed; `-` and no file at all are standard input. Throws `ConfigError`. */
export async function sampleOf(files: readonly string[], io: Io): Promise<Sample> {
  const tell = (notice: string) => io.err(`${notice}\n`)
  return readSample((files.length > 0 ? files : ['-']).map((file) => chunksOf(file, io, tell)))
}

async function* chunksOf(file: string, io: Io, tell: (notice: string) => void): AsyncGenerator<StreamChunk> {
  if (file === '-') {
    yield* streamChunks(io.stdin, { place: hash16('sample', 'stdin'), maxRecordBytes: MAX_RECORD_BYTES, tell })
    return
  }
  const info = await stat(file).catch((error: unknown) => {
    throw new ConfigError(`the file cannot be read: ${messageOf(error)}`, { file })
  })
  if (!info.isFile()) throw new ConfigError('not a file; specify files, or a pattern that your shell expands', { file })
  yield* fileChunks(file, { sourceId: 'sample', maxRecordBytes: MAX_RECORD_BYTES, tell })
}
