import type { Rule } from '../../model/rule.ts'
import { suggestion } from '../issues.ts'
import { packAdvice } from '../packs.ts'
import { type Check, problemOfUsers, type User, usersByName } from './check.ts'

/** Tables that YAML rules and inline filters read (`Enrichment: {Table: …}`) must be in the content, enabled or not. */
export const checkEnrichments: Check = ({ rules, scheduledRules, policies }, { known: { content } }) => {
  const known = new Set(content.tables.map(({ name }) => name))
  const uses = [...rules, ...scheduledRules, ...policies].flatMap((rule) =>
    [...tablesOf(rule)].map((name): [string, User] => [name, { label: `rule '${rule.id}'`, file: rule.file }]),
  )
  const problems = [...usersByName(uses)].flatMap(([name, users]) => {
    if (known.has(name)) return []
    const inPack = packAdvice(name, content.tablesOff)
    if (inPack) return problemOfUsers(users, (who) => `Enrichment: ${inPack}. Until then ${who} never finds a row in it`)
    const advice = suggestion(name, known) || ': correct the name or add the table'
    return problemOfUsers(users, (who) => `Enrichment: there is no table '${name}', so ${who} never finds a row in it${advice}`)
  })
  return { problems, notices: [] }
}

function tablesOf({ source, inlineFilter }: Rule): Set<string> {
  const found = new Set<string>()
  collect(inlineFilter, found)
  // Texts of other languages are not JSON.
  if (source.language === 'simple') collect(JSON.parse(source.code), found)
  return found
}

/** The tables of match expressions as written, and of conditions as compiled. */
function collect(value: unknown, found: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  const { Enrichment: written, kind, table } = value as { Enrichment?: { Table?: unknown }; kind?: unknown; table?: unknown }
  if (typeof written?.Table === 'string') found.add(written.Table)
  if (kind === 'enrichment' && typeof table === 'string') found.add(table)
  for (const inner of Object.values(value)) collect(inner, found)
}
