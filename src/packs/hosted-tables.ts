import { dirname } from 'node:path'
import { isExtension } from '../stages/enrich/definition.ts'
import { hostedTable } from '../stages/enrich/hosted-table.ts'
import type { Content } from './content.ts'
import { isUnder } from './under.ts'

/** The same rows as ranges, for joins in Panther's SQL. */
const RANGES = /_datalake$/

/** What becomes of each table whose content only Panther's service can read, given everything that is loaded. */
export function hostedNotices({ tables }: Content, all: Content): string[] {
  const own = new Map(
    [...all.tablesOff, ...all.tables].filter(({ document }) => !isExtension(document)).map((table) => [table.name, table]),
  )
  return tables.flatMap(({ document, file }) => {
    const hosted = hostedTable(document)
    if (!hosted) return []
    const { name } = hosted
    const start = `${file}: the content of table '${name}' is in a bucket of Panther's service: `
    const used = own.get(name)
    if (used) return [`${start}${placeOf(used.file)} is used, with the selectors of this file${needs(used.document)}`]
    const twin = own.get(name.replace(RANGES, ''))
    if (twin) return [`${start}the table '${twin.name}' of ${placeOf(twin.file)} has the same rows`]
    return [`${start}to fill it, define a table of that name with Filename or Provider`]
  })

  function placeOf(file: string): string {
    const pack = all.packs.find((one) => one.ids === undefined && isUnder(dirname(one.file), file))
    if (!pack) return file
    return pack.isOptional ? `pack ${pack.id} (off until you enable it)` : `pack ${pack.id}`
  }
}

/** What a table cannot be filled without. */
function needs(document: unknown): string {
  const { Provider } = document as { Provider?: { type?: unknown; path?: unknown; key?: unknown; auth?: { key?: unknown } } }
  const key = Provider?.auth?.key ?? Provider?.key
  if (typeof key === 'string') return `; it needs the key '${key}'`
  return Provider?.type === 'file' ? `; it needs the file ${String(Provider.path)}` : ''
}
