import { ArchiveError } from '../../util/archive/entry.ts'
import { packTar } from '../../util/archive/pack-tar.ts'
import { isTar, tarEntries } from '../../util/archive/tar.ts'
import { ConfigError } from '../../util/errors.ts'
import { sha256 } from '../../util/hash.ts'

/** The parts of a bundle by name. */
export type Parts = ReadonlyMap<string, Uint8Array>

/** The part with the hashes of all others, as `sha256sum -c` reads it. */
const SUMS = 'SHA256SUMS'
/** Larger bundles are neither written nor read. */
export const MAX_BUNDLE_BYTES = 64 * 1024 * 1024
const MAX_PARTS = 2000
const MAX_NAME_BYTES = 1000

/** A name that is a path below the folder where it is unpacked, on any system. */
export function isPartName(name: string): boolean {
  const steps = name.split('/')
  const isStep = (step: string) => /^[^\p{Cc}\\]{1,200}$/u.test(step) && !/^\.{1,2}$/.test(step) && Buffer.byteLength(step) <= 255
  return Buffer.byteLength(name) <= MAX_NAME_BYTES && name.isWellFormed() && steps.every(isStep)
}

/** One file: a tar archive of the parts in order of their names, after their hashes. The same parts make the same bytes. */
export function packBundle(parts: Parts): Uint8Array {
  const sorted = [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, content]) => ({ name, content }))
  const sums = sorted.map(({ name, content }) => `${sha256(content)}  ${name}\n`).join('')
  return packTar([{ name: SUMS, content: Buffer.from(sums) }, ...sorted])
}

/** Reads a bundle. `changed`: a sentence about each part that is not as it was written. Rejects with `ConfigError` if it is not a bundle. */
export async function openBundle(
  bytes: Uint8Array,
  file: string,
): Promise<{ readonly parts: Parts; readonly changed: readonly string[] }> {
  if (!isTar(bytes)) throw new ConfigError('is not a bundle: `caracal alerts bundle` writes one', { file })
  const parts = new Map<string, Uint8Array>()
  try {
    const entries = tarEntries(bytes)
    if (entries.length > MAX_PARTS) throw new ArchiveError(`has more than ${MAX_PARTS} parts`)
    for (const { name, read } of entries) {
      if (!isPartName(name)) throw new ArchiveError(`has a part with an unusable name: ${JSON.stringify(name.slice(0, 200))}`)
      if (parts.has(name)) throw new ArchiveError(`has two parts '${name}'`)
      parts.set(name, await read(MAX_BUNDLE_BYTES))
    }
  } catch (error) {
    if (error instanceof ArchiveError) throw new ConfigError(`is not an intact bundle: it ${error.message}`, { file })
    throw error
  }
  const sums = parts.get(SUMS)
  if (!sums) throw new ConfigError(`is not a bundle: it has no part '${SUMS}'`, { file })
  parts.delete(SUMS)
  return { parts, changed: changedParts(parts, Buffer.from(sums).toString()) }
}

function changedParts(parts: Parts, sums: string): string[] {
  const wanted = new Map<string, string>()
  const changed: string[] = []
  for (const line of sums.split('\n').slice(0, MAX_PARTS)) {
    const [, hash, name] = /^([0-9a-f]{64}) {2}([^\n]{1,1000})$/.exec(line) ?? []
    if (hash !== undefined && name !== undefined) wanted.set(name, hash)
    else if (line !== '') changed.push(`'${SUMS}' has a line that is not a hash and a name: ${JSON.stringify(line.slice(0, 80))}`)
  }
  for (const [name, content] of parts) {
    const hash = wanted.get(name)
    if (hash === undefined) changed.push(`'${name}' is not listed in ${SUMS}`)
    else if (hash !== sha256(content)) changed.push(`'${name}' has been changed: its SHA-256 is not that in ${SUMS}`)
  }
  for (const name of wanted.keys()) if (!parts.has(name)) changed.push(`'${name}' is missing`)
  return changed
}
