import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { TableDefinition } from '../../stages/enrich/definition.ts'
import { Refused } from '../../util/errors.ts'
import type { ContentPlace } from '../content-places.ts'
import type { Edit } from './edit.ts'
import { type Located, locate, ownPlace, readOnlyReason } from './places.ts'
import { textOf } from './rule-text.ts'
import { fileNameOf } from './rules.ts'
import { editYaml, setOrDelete } from './yaml-edit.ts'

const MAX_SAME_NAMES = 100

/** Why the content of a table is not written here; `undefined`: it is. */
export function contentFault(definition: TableDefinition, places: readonly ContentPlace[]): string | undefined {
  const { name, events, provider, inline, filename } = definition
  if (events) return `events write the rows of table '${name}' as they arrive`
  if (provider?.type === 'file')
    return `the file of table '${name}' is written by another program (Provider.path): write it there, and refresh the table`
  if (provider) return `the content of table '${name}' comes from its provider '${provider.type}': change it there, and refresh`
  if (inline || filename === undefined)
    return `the rows of table '${name}' are in its definition (Inline): change them there, or move them to a file that Filename names`
  const at = locate(filename, places)
  if (!at) return `the file of table '${name}' is not in a content folder`
  return at.place.kind === 'git' ? `the table '${name}' cannot be changed: ${readOnlyReason(at.place)}` : undefined
}

/** True if a change writes a copy of the table into the content folder, because its own files are part of the release. */
export function isCopied({ filename }: TableDefinition, places: readonly ContentPlace[]): boolean {
  return locate(filename!, places)?.place.kind === 'shipped'
}

/** The files that put content in the place of a table's; the first one is the content. */
export async function contentEdits(
  definition: TableDefinition,
  bytes: Uint8Array,
  places: readonly ContentPlace[],
): Promise<readonly Edit[]> {
  const { name, file } = definition
  const filename = definition.filename!
  if (!isCopied(definition, places)) return [{ ...locate(filename, places)!, text: bytes }]
  // A later root hides what the shipped packs have under the same name.
  const ending = /\.[a-z]+$/.exec(basename(filename))?.[0] ?? '.csv'
  const [yamlAt, at] = freePlaces(name, ending, places)
  const yaml = await textOf(file)
  const isSame = join(dirname(file), basename(at.path)) === filename
  const copy = isSame ? yaml : editYaml(yaml, yamlAt.path, (yaml) => setOrDelete(yaml, 'Filename', basename(at.path)))
  return [
    { ...at, text: bytes },
    { ...yamlAt, text: copy },
  ]
}

/** Where the definition and the content of a new table are written. */
export function freePlaces(name: string, ending: string, places: readonly ContentPlace[]): readonly [Located, Located] {
  const place = ownPlace(places)
  for (let n = 1; n <= MAX_SAME_NAMES; n++) {
    const base = `tables/${fileNameOf(name)}${n === 1 ? '' : `_${n}`}`
    const paths = [`${base}.yml`, `${base}${ending}`] as const
    if (paths.every((path) => !existsSync(join(place.folder, path))))
      return [
        { place, path: paths[0] },
        { place, path: paths[1] },
      ]
  }
  throw new Refused(`there are ${MAX_SAME_NAMES} files for names like '${name}': choose another name`)
}
