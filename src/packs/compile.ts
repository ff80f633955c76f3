import { compile } from '../model/condition/compile.ts'
import type { CompiledSchema } from '../model/schema.ts'
import { readEventsDetection } from '../stages/detect/simple/events-detection.ts'
import { chainCycles, chainedSteps } from '../stages/enrich/chains.ts'
import {
  checkAssociations,
  defineExtension,
  defineTable,
  extendedName,
  isExtension,
  type TableDefinition,
  type TableExtension,
} from '../stages/enrich/definition.ts'
import { compileTableSchema, type TableSchema } from '../stages/enrich/table-schema.ts'
import { defineWritten, type WrittenDefinition } from '../stages/enrich/written/written-table.ts'
import { compileSchema } from '../stages/normalise/compile.ts'
import type { ReadSecret } from '../stages/normalise/transformations.ts'
import { ConfigError, messageOf } from '../util/errors.ts'
import { exactText } from '../util/exact-text.ts'
import { hash16 } from '../util/hash.ts'
import type { Content, Problem, TableFile } from './content.ts'
import { suggestion } from './issues.ts'
import { packAdvice } from './packs.ts'

/** A table's definition and the schema of its rows. */
export interface LoadedTable {
  readonly definition: TableDefinition
  readonly schema: TableSchema | undefined
  /** Of a table that events write. */
  readonly written?: WrittenDefinition
}

/** Compiled schema and table files. A file that cannot be used is a problem, and the rest is compiled. */
export interface Compiled {
  /** By log type; without schemas that only describe the rows of tables. */
  readonly schemas: ReadonlyMap<string, CompiledSchema>
  /** Enabled tables by name. */
  readonly tables: ReadonlyMap<string, LoadedTable>
  readonly problems: readonly Problem[]
}

/**
 * Compiles the schemas and tables of the content. `elsewhere` has further schemas that tables may name, and tables that may be extended;
 * `secret` resolves the salts of masks, where records are read. Never throws.
 */
export function compileFiles(
  {
    schemas: files,
    tables: tableFiles,
    tablesOff = [],
  }: Pick<Content, 'schemas' | 'tables'> & Partial<Pick<Content, 'tablesOff'>>,
  elsewhere: Pick<Content, 'schemas' | 'tables'> & Partial<Pick<Content, 'tablesOff'>> = { schemas: [], tables: [] },
  secret?: ReadSecret,
): Compiled {
  const problems: Problem[] = []
  const attempt = <T>(file: string, make: () => T): T | undefined => {
    try {
      return make()
    } catch (error) {
      problems.push({ file, line: undefined, message: withoutFile(error, file) })
      return undefined
    }
  }
  const documents = new Map([...elsewhere.schemas, ...files].map((schema) => [schema.name, schema]))
  const tables = new Map<string, LoadedTable>()
  // Schemas of rows are no log types, even while their tables are off.
  const rowSchemas = new Set(tablesOff.map(({ document }) => String((document as { Schema?: unknown }).Schema)))
  for (const { document, file } of withBases(tableFiles, elsewhere.tables)) {
    const definition = attempt(file, () => defineTable(document, { file }))
    if (!definition?.enabled) continue
    const { schema: name } = definition
    const found = name === undefined ? undefined : documents.get(name)
    if (name !== undefined && !found) {
      const message = `Schema: there is no schema '${name}'${suggestion(name, documents.keys())}`
      problems.push({ file, line: undefined, message })
    }
    const schema = found && attempt(found.file, () => compileTableSchema(found.document, { file: found.file }))
    if (found) rowSchemas.add(found.name)
    tables.set(definition.name, { definition: found ? { ...definition, rowSchema: hashOf(found.document) } : definition, schema })
  }
  for (const { document, file } of tableFiles.filter((table) => isExtension(table.document))) {
    const extension = attempt(file, () => defineExtension(document, { file }))
    if (extension?.enabled)
      attempt(file, () =>
        extend(tables, extension, [...elsewhere.tables, ...tableFiles], [...(elsewhere.tablesOff ?? []), ...tablesOff]),
      )
  }
  problems.push(...dropCycles(tables, elsewhere.tables))
  for (const [name, loaded] of tables) {
    const written = attempt(loaded.definition.file, () => writtenOf(loaded))
    if (written) tables.set(name, { ...loaded, definition: withShape(loaded.definition, written), written })
    else if (loaded.definition.events) tables.delete(name)
  }
  const schemas = new Map<string, CompiledSchema>()
  for (const { name, document, file } of files) {
    if (rowSchemas.has(name)) continue
    const compiled = attempt(file, () => compileSchema(document, { file, secret }))
    if (compiled) schemas.set(name, compiled)
  }
  return { schemas, tables, problems }
}

function writtenOf({ definition, schema }: LoadedTable): WrittenDefinition | undefined {
  const { events, file } = definition
  if (!events) return undefined
  const isWanted = events.detection === undefined ? () => true : compile(readEventsDetection(events.detection, file))
  return defineWritten({ ...definition, events }, schema, isWanted)
}

function withShape(definition: TableDefinition, { source, shape }: WrittenDefinition): TableDefinition {
  return { ...definition, events: { ...source, shape } }
}

/** Removes tables whose selectors read from each other in a circle, also through tables from elsewhere. */
function dropCycles(tables: Map<string, LoadedTable>, elsewhere: readonly TableFile[]): Problem[] {
  const definitions = new Map([...tables].map(([name, { definition }]) => [name, definition]))
  const isChained = [...definitions.values()].some(({ associations, added }) =>
    [...associations, ...added].some(({ selectors }) => selectors.some((selector) => chainedSteps(selector).length > 0)),
  )
  if (!isChained) return []
  for (const { document, file, name } of elsewhere) {
    if (definitions.has(name) || isExtension(document)) continue
    try {
      const definition = defineTable(document, { file })
      if (definition.enabled) definitions.set(name, definition)
    } catch {
      // Reported where that content is checked.
    }
  }
  return chainCycles(definitions).flatMap((cycle) => {
    const here = cycle.find((name) => tables.has(name))
    if (here === undefined) return []
    const { file } = tables.get(here)!.definition
    for (const name of cycle) tables.delete(name)
    const path = cycle.join(' → ')
    return [
      {
        file,
        line: undefined,
        message: `Selectors: tables read from each other in a circle, ${path}: remove one of these selectors`,
      },
    ]
  })
}

/** The tables without extensions, and those from elsewhere that are extended here. */
function withBases(here: readonly TableFile[], elsewhere: readonly TableFile[]): TableFile[] {
  const bases = new Set(here.filter(({ document }) => isExtension(document)).map(({ document }) => extendedName(document)))
  const own = here.filter(({ document }) => !isExtension(document))
  for (const { name } of own) bases.delete(name)
  return [...elsewhere.filter(({ name, document }) => bases.has(name) && !isExtension(document)), ...own]
}

function hashOf(document: unknown): string {
  return hash16(exactText(document))
}

/** Adds an extension's selectors to its table. */
function extend(
  tables: Map<string, LoadedTable>,
  extension: TableExtension,
  all: readonly TableFile[],
  off: readonly TableFile[],
): void {
  const { base, associations, isHosted, file } = extension
  const loaded = tables.get(base)
  if (!loaded && isHosted) return
  if (loaded) {
    const { definition } = loaded
    checkAssociations(definition.key, associations)
    tables.set(base, { ...loaded, definition: { ...definition, added: [...definition.added, ...associations] } })
    return
  }
  const named = all.filter(({ name }) => name === base)
  const other = named.find(({ document }) => isExtension(document))
  const names = all.filter(({ document }) => !isExtension(document)).map(({ name }) => name)
  const why = other
    ? `'${base}' is itself an extension: extend '${String(extendedName(other.document))}' instead`
    : named.length > 0
      ? `the table '${base}' is disabled or cannot be used: see ${named[0]!.file}`
      : (packAdvice(base, off) ??
        `there is no table '${base}'${suggestion(base, names) || (names.length > 0 ? `. Known: ${[...new Set(names)].sort().join(', ')}` : '')}`)
  throw new ConfigError(why, { file, path: 'Extends' })
}

/** The message without the file, which is already a field of the problem. */
function withoutFile(error: unknown, file: string): string {
  const message = messageOf(error)
  if (!(error instanceof ConfigError) || error.file !== file) return message
  return message.startsWith(`${file} at `) ? message.slice(file.length + 4) : message.slice(file.length + 2)
}
