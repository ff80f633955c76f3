import { lex, type Token } from '../../stages/store/sql-lex.ts'
import { Refused } from '../../util/errors.ts'

export const DIALECTS = ['auto', 'clickhouse', 'snowflake'] as const
/** `auto`: by what the text says; see docs/decisions/0067-panthers-sql-from-people.md. */
export type Dialect = (typeof DIALECTS)[number]

/** `must`: only Panther can mean it. `may`: it names tables as Panther does, which ClickHouse SQL may do here too. */
export type PantherSign = 'must' | 'may' | undefined

/** A tag of a template, and no `LIKE '{%'`, which looks for JSON. */
const TEMPLATE = /\{\{[^{}]*\}\}|\{%[-+]?\s*(?:import|from|set|macro|if|for|include)\s/i
const MACRO = /^p_occurs_\w+$/i
const DATABASES = /^panther_(?:logs|rule_matches|signals|monitor|lookups|views)$/i

/** Whether a query's text is written for Panther. Text that cannot be read is not: the lake says why. */
export function pantherSign(sql: string): PantherSign {
  if (TEMPLATE.test(sql)) return 'must'
  if (!/p_occurs_|panther_|snowflake/i.test(sql)) return undefined
  try {
    return signOf(lex(sql))
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
}

function signOf(tokens: readonly Token[]): PantherSign {
  let sign: PantherSign
  for (const [at, { kind, value }] of tokens.entries()) {
    const [next, after] = [tokens[at + 1]?.raw, tokens[at + 2]?.value.toLowerCase()]
    if (kind === 'word' && next === '(' && MACRO.test(value)) return 'must'
    if (kind !== 'word' && kind !== 'quoted') continue
    if (next === '.' && (DATABASES.test(value) || (value.toLowerCase() === 'snowflake' && after === 'account_usage')))
      sign = 'may'
  }
  return sign
}
