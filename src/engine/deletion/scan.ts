import { open, readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { WordPattern } from '../../util/word-pattern.ts'

const CHUNK_BYTES = 4 * 1024 * 1024
/** Read again with the next chunk, so that no value is cut: longer than any value. */
const OVERLAP_BYTES = 8192
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024
/** Content, and what is compiled from it. */
const CONTENT = new Set(['content-git', 'content-cache', 'python'])

const unzip = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip)

/** The files of a data folder that contain a value, but for the lake's, which only the lake can read; with what they are. */
export async function filesWith(dataDir: string, pattern: WordPattern): Promise<string[]> {
  const found: string[] = []
  for await (const path of filesBelow(dataDir)) {
    const name = relative(dataDir, path)
    const [first = ''] = name.split(sep)
    if (first === 'lake') continue
    const has = await hasValue(path, pattern).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    })
    if (has) found.push(`${name}: ${meaning(first)}`)
  }
  return found
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesBelow(path)
    else if (entry.isFile()) yield path
  }
}

/** Whether a file contains the value, unpacked if it is compressed. */
async function hasValue(path: string, pattern: WordPattern): Promise<boolean> {
  if (path.endsWith('.gz')) {
    const unpacked = await unzip(await readFile(path), { maxOutputLength: MAX_UNPACKED_BYTES }).catch(() => undefined)
    if (unpacked) return pattern.test(unpacked.toString())
  }
  const handle = await open(path, 'r')
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES)
    for (let at = 0; ; at += CHUNK_BYTES - OVERLAP_BYTES) {
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, at)
      if (pattern.test(chunk.toString('utf8', 0, bytesRead))) return true
      if (bytesRead < CHUNK_BYTES) return false
    }
  } finally {
    await handle.close()
  }
}

function meaning(folder: string): string {
  if (CONTENT.has(folder)) return 'content is not deleted; remove the value from its files'
  if (folder === 'tables') return 'a lookup table in force has it; remove it where the table comes from, then refresh the table'
  if (folder.startsWith('state.db'))
    return 'the history of content, the position of a source, a user or session, the name of a token or an alert on hold has it'
  if (folder.startsWith('spool.db')) return 'a record has arrived since; repeat the deletion'
  if (folder.endsWith('.log')) return "the program's log; rotate it"
  return 'no part of what Caracal deletes; remove the file'
}
