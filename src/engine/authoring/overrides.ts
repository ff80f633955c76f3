import { isDeepStrictEqual } from 'node:util'
import { type Document, isMap, isScalar, isSeq, type YAMLMap, type YAMLSeq } from 'yaml'
import { Refused } from '../../util/errors.ts'
import { editYaml } from './yaml-edit.ts'

/** Keys of a rule to override; null: as the rule's own file says. */
export type OverrideValues = Readonly<Record<string, unknown>>

type IdKey = 'RuleID' | 'PolicyID'

/**
 * The text of an `overrides.yml` with these keys of a rule set or removed. Comments and the order of everything else stay. An entry for
 * several ids loses this one if it has to differ. Throws `Refused` if the text cannot be edited.
 */
export function withOverrides(text: string, idKey: IdKey, id: string, values: OverrideValues): string {
  return editYaml(text, 'overrides.yml', (document) => override(document, idKey, id, values))
}

function override(document: Document, idKey: IdKey, id: string, values: OverrideValues): void {
  const entries = entriesOf(document)
  const shared = entries.items.find((entry): entry is YAMLMap => isMap(entry) && namesAmong(entry, idKey, id))
  if (shared) apart(document, entries, shared, idKey, id)
  const own = entries.items.find((entry): entry is YAMLMap => isMap(entry) && entry.get(idKey) === id)
  if (own) change(document, own, values)
  else {
    const set = Object.entries(values).filter(([, value]) => value !== null)
    if (set.length > 0) entries.add(document.createNode({ [idKey]: id, ...Object.fromEntries(set) }))
  }
  entries.items = entries.items.filter((entry) => !(isMap(entry) && entry.get(idKey) === id && entry.items.length < 2))
}

function entriesOf(document: Document): YAMLSeq {
  if (document.contents === null) document.contents = document.createNode({}) as unknown as typeof document.contents
  if (!isMap(document.contents)) throw new Refused('overrides.yml is not a map with the key `Overrides`')
  const found = document.get('Overrides')
  if (isSeq(found)) {
    // A list that was empty until now would be written on one line.
    if (found.items.length === 0) found.flow = false
    return found
  }
  if (found !== undefined && found !== null) throw new Refused('`Overrides` in overrides.yml is not a list')
  document.set('Overrides', document.createNode([]))
  const made = document.get('Overrides') as YAMLSeq
  made.flow = false
  return made
}

/** True for an entry of several ids with this one among them. */
function namesAmong(entry: YAMLMap, idKey: IdKey, id: string): boolean {
  const ids = entry.get(idKey)
  return isSeq(ids) && ids.items.some((item) => isScalar(item) && item.value === id)
}

/** Gives one of an entry's ids an entry of its own, with the same keys. */
function apart(document: Document, entries: YAMLSeq, shared: YAMLMap, idKey: IdKey, id: string): void {
  const ids = shared.get(idKey) as YAMLSeq
  ids.items = ids.items.filter((item) => !isScalar(item) || item.value !== id)
  const { [idKey]: _, ...rest } = shared.toJS(document) as Record<string, unknown>
  const at = entries.items.indexOf(shared)
  entries.items.splice(at + 1, 0, document.createNode({ [idKey]: id, ...rest }))
  if (ids.items.length === 0) entries.items.splice(at, 1)
}

function change(document: Document, entry: YAMLMap, values: OverrideValues): void {
  for (const [key, value] of Object.entries(values)) {
    if (value === null) entry.delete(key)
    else if (!isDeepStrictEqual(plain(document, entry.get(key)), value)) entry.set(key, document.createNode(value))
  }
}

function plain(document: Document, value: unknown): unknown {
  return isSeq(value) || isMap(value) ? value.toJS(document) : value
}
