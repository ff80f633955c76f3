import type { Command } from 'commander'
import type { Io } from '../io.ts'
import { registerSchemaAdopt } from './schema-adopt.ts'
import { registerSchemaDiff } from './schema-diff.ts'
import { registerSchemaEditor } from './schema-editor.ts'
import { registerSchemaInfer } from './schema-infer.ts'
import { registerSchemaParse } from './schema-parse.ts'
import { registerSchemaTest } from './schema-test.ts'

/** `caracal schema`: works on schema files. */
export function registerSchema(program: Command, io: Io): void {
  const schema = program
    .command('schema')
    .summary('infer, try, test, compare and extend schemas')
    .description('Works on schema files; `diff` with one file, and `adopt`, call the running server.')
  registerSchemaInfer(schema, io)
  registerSchemaParse(schema, io)
  registerSchemaTest(schema, io)
  registerSchemaDiff(schema, io)
  registerSchemaAdopt(schema, io)
  registerSchemaEditor(schema, io)
}
