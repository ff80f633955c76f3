import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { contentFolders } from '../config/content.ts'
import { cacheFolder } from '../config/env.ts'
import type { CompiledSchema } from '../model/schema.ts'
import { parseWith } from '../packs/infer/parse-with.ts'
import type { Sample } from '../packs/infer/sample.ts'
import { type ConfigOptions, readConfig } from './config.ts'
import type { Io } from './io.ts'
import { count } from './style.ts'

/**
 * A sentence if the content already has schemas for such records: what most of the sample's beginning is recognised as, or else
 * schemas with the parser of the inferred one.
 */
export async function known(sample: Sample, { parser }: CompiledSchema, options: ConfigOptions, io: Io): Promise<string[]> {
  const { loadPath } = await import('../engine/path.ts')
  const config = readConfig(options, io)
  const { schemas } = await loadPath(
    { content: contentFolders(config), data_dir: config.data_dir, enabled_packs: config.enabled_packs },
    join(cacheFolder(io.env), 'content'),
  )
  const { received, events } = parseWith([...schemas.values()], { ...sample, chunks: sample.chunks.slice(0, 1) })
  const types = new Map<string, number>()
  for (const { p_log_type: type } of events) types.set(type, (types.get(type) ?? 0) + 1)
  if (events.length < received / 2) {
    const alike = [...schemas.values()].filter((one) => parser?.type === 'native' && isDeepStrictEqual(one.parser, parser))
    return alike.length === 0
      ? []
      : [
          `Caracal has schemas for this format: ${alike.map(({ name }) => name).join(', ')}; naming one in the \`log_types\` of the source may do`,
        ]
  }
  const list = [...types].sort((a, b) => b[1] - a[1]).map(([type, n]) => `${type} (${count(n)} of ${count(received)})`)
  return [`Caracal already reads records like these: ${list.slice(0, 5).join(', ')}; a new schema may not be needed`]
}
