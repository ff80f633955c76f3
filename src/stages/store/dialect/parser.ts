import { init, parse } from '@guanmingchiu/sqlparser-ts'
import type { Node } from './ast.ts'

let ready: Promise<void> | undefined

/** Parses Snowflake SQL into statements. Throws the parser's error, with line and column. */
export async function parseSnowflake(sql: string): Promise<readonly Node[]> {
  ready ??= init()
  await ready
  const statements: unknown = parse(sql, 'snowflake')
  return Array.isArray(statements) ? statements : []
}
