import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { messageOf } from '../../util/errors.ts'
import { sendNothing } from '../../util/http/send.ts'
import { noKeys } from './api-keys.ts'
import type { TableContent } from './build.ts'
import type { TableDefinition } from './definition.ts'
import { MissingFile } from './file.ts'
import { createProvider, providerDefinition } from './index.ts'
import { inlineBytes } from './inline.ts'
import { TableError } from './table.ts'

/**
 * Content that is already on this machine, without a refresh: that of a local provider, otherwise the file next to the definition.
 * `undefined` if there is none yet.
 *
 * @throws {TableError} if it exists but cannot be read.
 */
export async function readLocalContent(definition: TableDefinition, dataFolder: string): Promise<TableContent | undefined> {
  const { provider: config } = definition
  if (config !== undefined && providerDefinition(config.type).isLocal) {
    const deps = { send: sendNothing, keys: noKeys, table: definition.name, folder: dirname(definition.file), dataFolder }
    try {
      const fetched = await createProvider(config, deps).refresh({}, new AbortController().signal)
      if (fetched) return { bytes: fetched.bytes, fileName: sourceName(definition) }
    } catch (error) {
      if (!(error instanceof MissingFile)) throw error
    }
  }
  return readShippedContent(definition)
}

/** The content that `Filename` names or `Inline` is, `undefined` when the definition has none. */
export async function readShippedContent({ filename, inline, contentDate }: TableDefinition): Promise<TableContent | undefined> {
  if (inline) return { bytes: inlineBytes(inline), date: contentDate }
  if (filename === undefined) return undefined
  try {
    return { bytes: await readFile(filename), fileName: basename(filename), date: contentDate }
  } catch (error) {
    throw new TableError(`cannot read ${filename}: ${messageOf(error)}`, { cause: error })
  }
}

/** The file name of the provider's content, a hint at its format. */
export function sourceName({ provider }: TableDefinition): string | undefined {
  if (provider === undefined || provider.type === 'live') return undefined
  if (provider.type !== 'url' && provider.type !== 'file' && provider.type !== 's3') return 'rows.jsonl'
  if (provider.member !== undefined) return basename(provider.member)
  if (provider.type === 's3') return provider.key === undefined ? undefined : basename(provider.key)
  return provider.type === 'url' ? basename(new URL(provider.url).pathname) : basename(provider.path)
}

/** The file that the content next to the definition is read from: that of `Filename`, or the definition itself if the rows are in it. */
export function shippedPath({ filename, inline, file }: TableDefinition): string | undefined {
  return inline ? file : filename
}
