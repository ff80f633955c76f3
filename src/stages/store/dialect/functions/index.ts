import type { FunctionTable, Translation } from '../call.ts'
import { AGGREGATE_FUNCTIONS } from './aggregate.ts'
import { LIST_FUNCTIONS } from './list.ts'
import { SCALAR_FUNCTIONS } from './scalar.ts'
import { TEXT_FUNCTIONS } from './text.ts'
import { TIME_FUNCTIONS } from './time.ts'

const FUNCTIONS: FunctionTable = {
  ...SCALAR_FUNCTIONS,
  ...TEXT_FUNCTIONS,
  ...LIST_FUNCTIONS,
  ...TIME_FUNCTIONS,
  ...AGGREGATE_FUNCTIONS,
}

/** The translation of Snowflake's function `name` (in lower case). A new one is one entry in the table of its family. */
export function translationOf(name: string): Translation | undefined {
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
}
