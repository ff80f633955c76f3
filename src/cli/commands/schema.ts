import type { Command } from 'commander'
import type { Io } from '../io.ts'
import { registerSchemaInfer } from './schema-infer.ts'
import { registerSchemaParse } from './schema-parse.ts'

/** `caracal schema`: everything about schema files that needs no server. */
export function registerSchema(program: Command, io: Io): void {
  const schema = program
    .command('schema')
    .summary('infer schemas from samples, try and test them')
    .description('Works on schema files, without a server.')
  registerSchemaInfer(schema, io)
  registerSchemaParse(schema, io)
}
