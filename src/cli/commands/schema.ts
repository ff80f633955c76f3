import type { Command } from 'commander'
import type { Io } from '../io.ts'
import { registerSchemaDiff } from './schema-diff.ts'
import { registerSchemaEditor } from './schema-editor.ts'
import { registerSchemaInfer } from './schema-infer.ts'
import { registerSchemaParse } from './schema-parse.ts'
import { registerSchemaTest } from './schema-test.ts'

/** `caracal schema`: works on schema files. */
export function registerSchema(program: Command, io: Io): void {
  const schema = program
    .command('schema')
    .summary('infer, try, test and compare schemas')
    .description('Works on schema files; only `diff` with one file asks the running server.')
  registerSchemaInfer(schema, io)
  registerSchemaParse(schema, io)
  registerSchemaTest(schema, io)
  registerSchemaDiff(schema, io)
  registerSchemaEditor(schema, io)
}
