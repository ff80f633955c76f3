import { type Document, isMap, isSeq, type YAMLMap, type YAMLSeq } from 'yaml'
import { ConfigError } from '../util/errors.ts'
import { withKey } from './edit.ts'

/** A source as a person would write it in the configuration. */
export type SourceBlock = Readonly<Record<string, unknown>>

/** The text of a configuration with one more source. */
export function withSource(text: string, block: SourceBlock): string {
  return withKey(text, 'sources', (document) => listOf(document).add(document.createNode(block)))
}

/** The text of a configuration without the source. Throws `ConfigError` if it is not there. */
export function withoutSource(text: string, id: string): string {
  return withKey(text, 'sources', (document) => {
    const list = listOf(document)
    const block = blockOf(list, id)
    list.items = list.items.filter((item) => item !== block)
  })
}

/** The text of a configuration with these keys of a source set, or removed where they are null. Throws `ConfigError` if it is not there. */
export function withSourceKeys(text: string, id: string, values: SourceBlock): string {
  return withKey(text, 'sources', (document) => {
    const block = blockOf(listOf(document), id)
    for (const [key, value] of Object.entries(values)) {
      if (value === null) block.delete(key)
      else block.set(key, document.createNode(value))
    }
  })
}

function listOf(document: Document): YAMLSeq {
  const found = document.get('sources')
  if (isSeq(found)) {
    // A list that was empty until now would be written on one line.
    if (found.items.length === 0) found.flow = false
    return found
  }
  if (found !== undefined && found !== null)
    throw new ConfigError('`sources` in the configuration file is not a list that can be edited: edit the file yourself')
  const made = document.createNode([]) as YAMLSeq
  made.flow = false
  document.set('sources', made)
  return made
}

function blockOf(list: YAMLSeq, id: string): YAMLMap {
  const found = list.items.find((item): item is YAMLMap => isMap(item) && item.get('id') === id)
  if (!found) throw new ConfigError(`the configuration file has no source '${id}'`)
  return found
}
