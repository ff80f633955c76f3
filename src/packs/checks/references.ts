import { suggestion } from '../issues.ts'
import { type Check, problemOfUsers, type User, usersByName } from './check.ts'

/** Queries that rules and dashboards name, and rules that correlation rules name, must be in the content. */
export const checkReferences: Check = ({ scheduledRules, correlationRules, dashboards }, { known: { content } }) => {
  const saved = new Set(content.savedQueries.map(({ name }) => name))
  const queries = new Set([...content.scheduledQueries.map(({ name }) => name), ...saved])
  const rules = [...content.rules, ...content.scheduledRules, ...content.policies, ...content.correlationRules]
  const ids = new Set(rules.map(({ id }) => id))
  const queryUses = scheduledRules.flatMap(({ id, file, scheduledQueries = [] }) =>
    scheduledQueries.map((name): [string, User] => [name, { label: `rule '${id}'`, file }]),
  )
  const ruleUses = correlationRules.flatMap(({ rule }) =>
    rule.members.map(({ ruleId }): [string, User] => [ruleId, { label: `correlation rule '${rule.id}'`, file: rule.file }]),
  )
  const panelUses = dashboards.flatMap(({ name, file, panels }) =>
    panels.flatMap(({ query }): [string, User][] =>
      'search' in query ? [[query.search, { label: `dashboard '${name}'`, file }]] : [],
    ),
  )
  return {
    problems: [
      ...unknown(panelUses, queries, (name) => `there is no query '${name}'`, 'it is missing on'),
      ...unknown(queryUses, queries, (name) => `there is no scheduled query '${name}'`, 'no row of it reaches'),
      ...unknown(ruleUses, ids, (name) => `there is no rule '${name}'`, 'no signal of it reaches'),
    ],
    notices: [],
  }
}

function unknown(uses: readonly [string, User][], known: ReadonlySet<string>, what: (name: string) => string, effect: string) {
  return [...usersByName(uses)].flatMap(([name, users]) =>
    known.has(name)
      ? []
      : problemOfUsers(
          users,
          (who) => `${what(name)}, so ${effect} ${who}${suggestion(name, known) || ': correct the name or remove it'}`,
        ),
  )
}
