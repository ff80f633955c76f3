import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import type { CompiledSchema } from '../model/schema.ts'
import { compileSchema } from '../stages/normalise/compile.ts'
import { readSchemaDocument, type SchemaSpec } from '../stages/normalise/document.ts'
import { ConfigError, messageOf } from '../util/errors.ts'
import { readSchemaFile } from './schema-file.ts'

/** A schema file, parsed but not checked. Throws `ConfigError` with the file. */
export async function readYaml(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigError(`the file cannot be read: ${messageOf(error)}`, { file })
  })
  const document = parseDocument(text)
  const [error] = document.errors
  if (error) throw new ConfigError(error.message, { file })
  return document.toJS({ maxAliasCount: 100 }) as unknown
}

/** A schema file, checked. Throws `ConfigError` with the file and the path of the first mistake. */
export async function readSpec(file: string): Promise<SchemaSpec> {
  const document = await readYaml(file)
  readSchemaFile(document, { file })
  return readSchemaDocument(document, { file })
}

/** A schema file, checked and compiled. Throws `ConfigError` with the file and the path of the first mistake. */
export async function readSchema(file: string): Promise<CompiledSchema> {
  const document = await readYaml(file)
  readSchemaFile(document, { file })
  return compileSchema(document, { file })
}
