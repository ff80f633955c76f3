import { open, readFile, writeFile } from 'node:fs/promises'
import type { DeadLetterReason } from '../../../model/outcome.ts'
import { isParquet, parquetLines } from '../../../util/parquet/parquet.ts'

/** Such files are decoded in memory; the limits hold before and after. */
const MAX_BYTES = 256 * 1024 * 1024
const MAX_ROWS = 5_000_000
const TIMEOUT_MS = 120_000
const AVRO = Buffer.from('Obj\u0001')
const PARQUET = Buffer.from('PAR1')

/** Replaces the rows of a Parquet or an Avro file by lines of JSON; leaves other files alone. Returns why the file cannot be read. */
export async function recordsAsLines(
  path: string,
  bytes: number,
): Promise<{ readonly reason: DeadLetterReason; readonly message: string } | undefined> {
  const magic = await headOf(path)
  const kind = magic.equals(AVRO) ? 'Avro' : magic.equals(PARQUET) ? 'Parquet' : undefined
  if (!kind) return undefined
  const tooLarge = {
    reason: 'too_long',
    message: `the ${kind} file has more than ${MAX_BYTES} bytes or ${MAX_ROWS} rows, before or after decompression: have the sender write smaller ones`,
  } as const
  if (bytes > MAX_BYTES) return tooLarge
  const content = await readFile(path)
  if (kind === 'Parquet' && !isParquet(content))
    return { reason: 'decoding', message: 'it begins like a Parquet file, but does not end like one' }
  const result = await parquetLines(content, { maxBytes: MAX_BYTES, maxRows: MAX_ROWS, timeoutMs: TIMEOUT_MS })
  if (result.kind === 'too-much') return tooLarge
  if (result.kind === 'broken') return { reason: 'decoding', message: `the ${kind} file cannot be read: ${result.message}` }
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
