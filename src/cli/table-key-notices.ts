import { apiKeys, type KeysConfig } from '../config/keys.ts'
import type { LoadedContent } from '../engine/path.ts'
import { authorize } from '../stages/enrich/auth.ts'
import type { TableDefinition } from '../stages/enrich/definition.ts'
import { messageOf } from '../util/errors.ts'

/** Keys that tables are fetched with and that the configuration lacks, with the line to add. Until then those tables stay as they are. */
export function tableKeyNotices({ tables }: Pick<LoadedContent, 'tables'>, keys: KeysConfig): string[] {
  const needing = new Map<string, TableDefinition[]>()
  for (const { definition } of tables.values()) {
    const name = needsOf(definition).key
    if (name !== undefined && !Object.hasOwn(keys, name)) needing.set(name, [...(needing.get(name) ?? []), definition])
  }
  return [...needing.values()].map((definitions) => {
    const names = definitions.map((one) => one.name).sort()
    const why = advice(definitions[0]!)
    return names.length === 1
      ? `table ${names[0]} is not fetched: ${why}`
      : `tables ${names.join(', ')} are not fetched: ${why.replace(/^it needs/, 'they need')}`
  })
}

/** What fetching would fail with. */
function advice(definition: TableDefinition): string {
  const { key = '', url, scheme } = needsOf(definition)
  if (url === undefined) return `the key '${key}' is not in \`keys\` of caracal.yml (docs/tables-reference.md, Keys)`
  try {
    authorize({ url, headers: {} }, { key, scheme }, apiKeys({}, {}))
    return ''
  } catch (error) {
    return messageOf(error)
  }
}

interface Needs {
  readonly key: string | undefined
  readonly url: string | undefined
  readonly scheme: string | undefined
}

/** Providers call their key `key` or `auth.key`, and every address is a URL. */
function needsOf({ provider }: TableDefinition): Needs {
  const config = (provider ?? {}) as { readonly key?: string; readonly auth?: { readonly key: string; readonly scheme?: string } }
  const url = Object.values(config).find((value) => typeof value === 'string' && /^(?:https?|ldaps?):\/\//.test(value))
  return { key: config.auth?.key ?? config.key, url: url as string | undefined, scheme: config.auth?.scheme }
}
