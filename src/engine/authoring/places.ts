import { existsSync } from 'node:fs'
import { lstat, realpath } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { pathFault } from '../../packs/content-path.ts'
import { Refused } from '../../util/errors.ts'
import type { ContentPlace } from '../content-places.ts'

/** A content file: the root that it belongs to, and its path there. */
export interface Located {
  readonly place: ContentPlace
  /** Relative to the root, with slashes. */
  readonly path: string
}

/** The innermost content root that contains a file; `undefined`: none does. */
export function locate(file: string, places: readonly ContentPlace[]): Located | undefined {
  const innermost = [...places].sort((a, b) => b.folder.length - a.folder.length)
  const place = innermost.find(({ folder }) => file.startsWith(folder + sep))
  return place && { place, path: relative(place.folder, file).split(sep).join('/') }
}

/**
 * The root that new content is written to: the last folder of the configuration, or `content` in the working folder, which need not exist
 * yet. A later root hides what earlier ones have, so content that is written there always counts, unless a repository comes after it.
 */
export function ownPlace(places: readonly ContentPlace[]): ContentPlace {
  return (
    places.findLast(({ kind }) => kind === 'folder') ?? { name: 'content', folder: resolve('content'), kind: 'folder' as const }
  )
}

/** Why files of a root are not edited; `undefined`: they are. */
export function readOnlyReason({ kind, name }: ContentPlace): string | undefined {
  if (kind === 'shipped') return 'it is in the shipped packs, which are part of the release'
  if (kind === 'git') return `it comes from ${name}: change it there, and it will be pulled`
  return undefined
}

/**
 * The absolute path of a content file that may be written. Rejects with `Refused` if it is not a usable path, or if a link or something that
 * is not a folder or a file is on the way: what is written must be where the path says, below the root.
 */
export async function writableFile({ place, path }: Located, endings: readonly string[]): Promise<string> {
  const shown = `${place.name}/${path}`
  const why = readOnlyReason(place)
  if (why !== undefined) throw new Refused(`${shown} cannot be written: ${why}`)
  const fault = pathFault(path, endings)
  if (fault !== undefined) throw new Refused(`'${path.slice(0, 200)}' is not a usable path: ${fault}`)
  const names = path.split('/')
  // The root itself may be a link: that is the choice of whoever configured it.
  let at = existsSync(place.folder) ? await realpath(place.folder) : place.folder
  for (const [i, name] of names.entries()) {
    at = join(at, name)
    const found = await lstat(at).catch(() => undefined)
    if (!found) return join(place.folder, ...names)
    const isLast = i === names.length - 1
    if (found.isSymbolicLink()) throw new Refused(`${shown} cannot be written: ${names.slice(0, i + 1).join('/')} is a link`)
    if (isLast ? !found.isFile() : !found.isDirectory())
      throw new Refused(`${shown} cannot be written: ${names.slice(0, i + 1).join('/')} is not a ${isLast ? 'file' : 'folder'}`)
  }
  return join(place.folder, ...names)
}
