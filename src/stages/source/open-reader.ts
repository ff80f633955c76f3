import { type Encoding, encodingOf } from '../../util/encoding.ts'
import { MAGIC_BYTES, packingOf } from '../../util/unpack/packings.ts'
import { type ByteReader, PlainReader } from './byte-reader.ts'
import { EncodedReader } from './encoded-reader.ts'
import { PackedReader } from './packed-reader.ts'

/** A reader for the kind of file at `path`, which its first bytes show. `encoding`: of its text. */
export async function openReader(path: string, encoding?: Encoding): Promise<ByteReader> {
  const plain = new PlainReader(path)
  try {
    const { bytes: head } = await plain.read(0, MAGIC_BYTES)
    const packing = packingOf(head)
    if (packing) {
      await plain.close()
      return new PackedReader(path, packing, encoding)
    }
    const found = encodingOf(head, encoding)
    return found === 'utf-8' ? plain : new EncodedReader(plain, found)
  } catch (error) {
    await plain.close()
    throw error
  }
}

/** Whether offsets are those of the file on disk; false if it cannot be read. */
export async function isPlainFile(path: string, encoding?: Encoding): Promise<boolean> {
  try {
    const reader = await openReader(path, encoding)
    await reader.close()
    return reader.isPlain
  } catch {
    return false
  }
}
