import { BrokenPacking, type ByteInput } from './byte-input.ts'
import { Inflater } from './inflater.ts'

const OUTPUT_BYTES = 256 * 1024

/** The content of all members of a gzip file, one after the other. Zero padding may follow. */
export async function* gunzip(input: ByteInput): AsyncGenerator<Buffer> {
  const out: Buffer[] = []
  const inflater = new Inflater('gzip', (bytes) => out.push(bytes), { chunkSize: OUTPUT_BYTES })
  try {
    for (;;) {
      const bytes = await input.some()
      await (bytes ? inflater.write(bytes) : inflater.finish())
      yield* out.splice(0)
      if (inflater.fault !== undefined) throw new BrokenPacking(inflater.fault)
      if (!bytes || inflater.ended) return
    }
  } finally {
    inflater.destroy()
  }
}
