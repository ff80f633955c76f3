import type { ByteReader } from './byte-reader.ts'
import { isSameInode } from './known-files.ts'
import { openReader } from './open-reader.ts'
import { matchEnds, printsOf } from './print.ts'
import { type FileExtent, fingerprintOf } from './tracked-file.ts'

/** After a restart: the file of a recorded extent, at its old path or at any of `paths`. */
export async function readerOf(extent: FileExtent, paths: readonly string[]): Promise<ByteReader> {
  const places = [...new Set([extent.path, ...paths])]
  let next: { readonly reader: ByteReader; readonly fit: number } | undefined
  for (const path of places) {
    try {
      const reader = await openReader(path, extent.encoding)
      const fit = await fitOf(reader, extent)
      if (fit > (next?.fit ?? 0)) {
        await next?.reader.close()
        next = { reader, fit }
      } else await reader.close()
    } catch {
      // Gone or not readable: the same file may be at another path.
    }
  }
  return next?.reader ?? NOTHING
}

/** How well a file matches the extent: 3 inode and bytes, 2 bytes, 1 inode with bytes missing, 0 not at all. */
async function fitOf(reader: ByteReader, extent: FileExtent): Promise<number> {
  const { fingerprint, fingerprintBytes, print, resume } = extent
  const { bytes: head } = await reader.read(0, fingerprintBytes)
  if (head.length < fingerprintBytes || fingerprintOf(head) !== fingerprint) return 0
  const isOwn = isSameInode(extent, await reader.stat())
  if (!print) return isOwn ? 3 : 2
  if (isOwn && (await matchEnds(reader, print, resume))) return 3
  if (!isOwn) return (await printsOf(reader, [resume])).get(resume) === print.last ? 2 : 0
  return (await reader.read(resume - 1, 1)).bytes.length === 0 ? 1 : 0
}

const NOTHING: ByteReader = {
  isPacked: false,
  isPlain: true,
  read: async () => ({ bytes: Buffer.alloc(0), end: true, fault: undefined }),
  stat: () => Promise.reject(new Error('the file is gone')),
  close: async () => {},
}
