import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { globSync } from 'tinyglobby'
import { parse } from 'yaml'
import type { Event } from '../../src/model/event.ts'
import type { LogTypeShape } from '../../src/stages/enrich/associations.ts'
import { buildTable, type TableContent } from '../../src/stages/enrich/build.ts'
import { defineTable, type TableDefinition } from '../../src/stages/enrich/definition.ts'
import { createEnricher } from '../../src/stages/enrich/enricher.ts'
import { readLocalContent } from '../../src/stages/enrich/local-content.ts'
import { compileTableSchema, type TableSchema } from '../../src/stages/enrich/table-schema.ts'
import { compileSchema } from '../../src/stages/normalise/compile.ts'
import { packageRoot } from '../../src/util/entry.ts'

/** The shipped packs' folder. */
export const packs = join(packageRoot(), 'packs')

export function readYaml(file: string): Record<string, unknown> {
  return parse(readFileSync(file, 'utf8')) as Record<string, unknown>
}

/** The files of all shipped schemas by name. */
export const schemas: ReadonlyMap<string, string> = new Map(
  globSync('*/schemas/*.yml', { cwd: packs, absolute: true }).map((file) => [readYaml(file)['schema'] as string, file]),
)

/** All shipped tables. */
export const definitions: readonly TableDefinition[] = globSync('*/tables/*.yml', { cwd: packs, absolute: true }).map((file) =>
  defineTable(readYaml(file), { file }),
)

export function definitionOf(name: string): TableDefinition {
  return definitions.find((definition) => definition.name === name)!
}

export function schemaOf({ schema }: TableDefinition): TableSchema | undefined {
  const file = schema === undefined ? undefined : schemas.get(schema)!
  return file === undefined ? undefined : compileTableSchema(readYaml(file), { file })
}

/** A shipped table, from this content or from what is shipped with it. */
export async function tableOf(name: string, content?: TableContent) {
  const definition = definitionOf(name)
  return buildTable(definition, schemaOf(definition), content ?? (await readLocalContent(definition, '/nowhere'))!)
}

/** What a shipped table adds to an event. */
export async function enrich(name: string, event: object, content?: TableContent) {
  const copy = structuredClone(event) as Event
  createEnricher([await tableOf(name, content)]).enrich(shapeOf(copy.p_log_type), [copy])
  return copy['p_enrichment']
}

/** A shipped log type, as passed to the enricher. */
export function shapeOf(name: string): LogTypeShape {
  const file = schemas.get(name)!
  return compileSchema(readYaml(file), { file })
}
