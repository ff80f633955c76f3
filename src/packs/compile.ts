import type { CompiledSchema } from '../model/schema.ts'
import { defineTable, type TableDefinition } from '../stages/enrich/definition.ts'
import { compileTableSchema, type TableSchema } from '../stages/enrich/table-schema.ts'
import { compileSchema } from '../stages/normalise/compile.ts'
import { ConfigError, messageOf } from '../util/errors.ts'
import type { Content, Problem } from './content.ts'
import { suggestion } from './issues.ts'

/** A definition of a table and the schema of its rows. */
export interface LoadedTable {
  readonly definition: TableDefinition
  readonly schema: TableSchema | undefined
}

/** What schema and table files become. A file that cannot be used is a problem, and the rest is compiled. */
export interface Compiled {
  /** By log type; without the schemas that only describe the rows of tables. */
  readonly schemas: ReadonlyMap<string, CompiledSchema>
  /** Enabled tables by name. */
  readonly tables: ReadonlyMap<string, LoadedTable>
  readonly problems: readonly Problem[]
}

/** Compiles the schemas and tables of the content. `elsewhere` has schemas that tables may name too. Never throws. */
export function compileFiles(
  { schemas: files, tables: tableFiles }: Pick<Content, 'schemas' | 'tables'>,
  elsewhere: Content['schemas'] = [],
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
  const documents = new Map([...elsewhere, ...files].map((schema) => [schema.name, schema]))
  const tables = new Map<string, LoadedTable>()
  const rowSchemas = new Set<string>()
  for (const { document, file } of tableFiles) {
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
    tables.set(definition.name, { definition, schema })
  }
  const schemas = new Map<string, CompiledSchema>()
  for (const { name, document, file } of files) {
    if (rowSchemas.has(name)) continue
    const compiled = attempt(file, () => compileSchema(document, { file }))
    if (compiled) schemas.set(name, compiled)
  }
  return { schemas, tables, problems }
}

/** The message without the file, which is a field of the problem already. */
function withoutFile(error: unknown, file: string): string {
  const message = messageOf(error)
  if (!(error instanceof ConfigError) || error.file !== file) return message
  return message.startsWith(`${file} at `) ? message.slice(file.length + 4) : message.slice(file.length + 2)
}
