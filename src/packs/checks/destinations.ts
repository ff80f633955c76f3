import { suggestion } from '../issues.ts'
import { type Check, problemOfUsers, type User, usersByName } from './check.ts'

/** Alone in the list it means that the alert goes nowhere. */
const SKIP = 'SKIP'

/** Destinations that rules name in `OutputIds` must be in the configuration. */
export const checkDestinations: Check = ({ rules, scheduledRules, policies, correlationRules, overrides }, { destinations }) => {
  if (destinations === undefined) return { problems: [], notices: [] }
  const known = new Set(destinations.map(({ id }) => id))
  const items = [...rules, ...scheduledRules, ...policies, ...correlationRules.map(({ rule }) => rule)]
  const overridden = new Map(overrides.flatMap(({ id, key, file }) => (key === 'OutputIds' ? [[id, file] as const] : [])))
  const uses = items.flatMap(({ id, file, outputIds }) =>
    outputIds.length === 1 && outputIds[0] === SKIP
      ? []
      : outputIds.map((name): [string, User] => [name, { label: `rule '${id}'`, file: overridden.get(id) ?? file }]),
  )
  const problems = [...usersByName(uses)].flatMap(([name, users]) => {
    if (known.has(name)) return []
    const advice = suggestion(name, known) || `: add it to \`destinations\` of the configuration, or correct the name`
    const effect = (who: string) => `so alerts of ${who} are routed by severity`
    return problemOfUsers(users, (who) => `OutputIds: no destination has the id '${name}', ${effect(who)}${advice}`)
  })
  return { problems, notices: [] }
}
