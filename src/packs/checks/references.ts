import { suggestion } from '../issues.ts'
import { type Check, problemOfUsers, type User, usersByName } from './check.ts'

/** Scheduled queries that rules name, and rules that correlation rules name, must be in the content. */
export const checkReferences: Check = ({ scheduledRules, correlationRules }, { known: { content } }) => {
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
  return {
    problems: [
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
