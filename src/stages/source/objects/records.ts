import { open, readFile, writeFile } from 'node:fs/promises'
import type { DeadLetterReason } from '../../../model/outcome.ts'
import { isParquet, parquetLines } from '../../../util/parquet/parquet.ts'

/** A Parquet file is decoded in memory; the limits hold before and after. */
const MAX_PARQUET_BYTES = 256 * 1024 * 1024
const MAX_ROWS = 5_000_000
const TIMEOUT_MS = 120_000
const AVRO = Buffer.from('Obj\u0001')
const PARQUET = Buffer.from('PAR1')

/** Replaces the rows of a Parquet file by lines of JSON; leaves other files alone. Returns why the file cannot be read. */
export async function recordsAsLines(
  path: string,
  bytes: number,
): Promise<{ readonly reason: DeadLetterReason; readonly message: string } | undefined> {
  const magic = await headOf(path)
  if (magic.equals(AVRO))
    return { reason: 'decoding', message: 'Avro is not supported yet: have the sender write JSON or Parquet' }
  if (!magic.equals(PARQUET)) return undefined
  const tooLarge = {
    reason: 'too_long',
    message: `a Parquet file may hold ${MAX_PARQUET_BYTES} bytes and ${MAX_ROWS} rows`,
  } as const
  if (bytes > MAX_PARQUET_BYTES) return tooLarge
  const content = await readFile(path)
  if (!isParquet(content)) return { reason: 'decoding', message: 'it begins like a Parquet file, but does not end like one' }
  const result = await parquetLines(content, { maxBytes: MAX_PARQUET_BYTES, maxRows: MAX_ROWS, timeoutMs: TIMEOUT_MS })
  if (result.kind === 'too-much') return tooLarge
  if (result.kind === 'broken') return { reason: 'decoding', message: `the Parquet file cannot be read: ${result.message}` }
  await writeFile(path, result.lines)
  return undefined
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
