import { fits, isPattern } from '../../stages/enrich/associations.ts'
import { hostedTable } from '../../stages/enrich/hosted-table.ts'
import type { LoadedTable } from '../compile.ts'
import type { Content, Problem } from '../content.ts'
import { suggestion } from '../issues.ts'
import { type Check, problemOfUsers, type User, usersByName } from './check.ts'
import { type ManagedNames, managedLogTypes, managedResourceTypes } from './managed-names.ts'

/** Maximum number of managed types that a notice lists. */
const MAX_LISTED = 10

interface Kind {
  /** As messages refer to such a name. */
  readonly noun: string
  readonly managed: ManagedNames
  /** The consequence of an unknown name for an item. */
  readonly effect: string
  /** Items that use such names: one, several. */
  readonly plural: readonly [string, string]
  /** What to do if items wait for Panther's types. */
  readonly advice: string
}

const LOG_TYPE: Kind = {
  noun: 'log type',
  managed: managedLogTypes,
  effect: 'no event of it reaches',
  plural: ['rule', 'rules'],
  advice: 'add the log type to `log_types` of the source that receives such logs',
}
const RESOURCE_TYPE: Kind = {
  noun: 'resource type',
  managed: managedResourceTypes,
  effect: 'no resource of it reaches',
  plural: ['policy', 'policies'],
  advice: 'add the resource type to `log_types` of the source that receives such resources',
}

/** Log types that rules, data models and tables name, and resource types that policies name: a schema or a source must have them. */
export const checkLogTypes: Check = (content, { known, sources }) => {
  if (sources === undefined) return { problems: [], notices: [] }
  const answering = new Set([...known.schemas.keys(), ...sources.flatMap(({ log_types }) => log_types)])
  const rules = unanswered(LOG_TYPE, ruleUses(content), answering)
  const others = unanswered(LOG_TYPE, otherUses(content, known.tables), answering)
  const resources = unanswered(RESOURCE_TYPE, resourceUses(content), answering)
  return {
    problems: [rules, others, resources].flatMap(({ problems }) => problems),
    // A table may list every log type that its vendor knows: that most of them are missing here is not worth reporting.
    notices: [...waitingNotice(LOG_TYPE, rules.waiting), ...waitingNotice(RESOURCE_TYPE, resources.waiting)],
  }
}

function ruleUses({ rules }: Content): [string, User][] {
  return rules.flatMap(({ id, file, logTypes }) => uses(logTypes, `rule '${id}'`, file))
}

function otherUses({ dataModels, tables }: Content, compiled: ReadonlyMap<string, LoadedTable>): [string, User][] {
  return [
    ...dataModels.flatMap(({ id, file, logTypes }) => uses(logTypes, `data model '${id}'`, file)),
    ...tableUses(tables, compiled),
  ]
}

/** Log types that tables and extensions name, except those of Panther's own. A pattern is resolved if it matches some log type. */
function tableUses(tables: Content['tables'], compiled: ReadonlyMap<string, LoadedTable>): [string, User][] {
  const checked = new Set(tables.filter(({ document }) => !hostedTable(document)).map(({ file }) => file))
  return [...compiled.values()].flatMap(({ definition: { name, associations, added, events, file: own } }) => {
    const joined = [...associations, ...added].map(({ logType, file }) => [logType, file] as const)
    const files = new Map([...joined, ...(events?.logTypes ?? []).map((logType) => [logType, own] as const)])
    return [...files]
      .filter(([, file]) => checked.has(file))
      .map(([logType, file]): [string, User] => [logType, { label: `table '${name}'`, file }])
  })
}

function resourceUses({ policies }: Content): [string, User][] {
  return policies.flatMap(({ id, file, policy }) => uses(policy?.resourceTypes ?? [], `policy '${id}'`, file))
}

function uses(names: readonly string[], label: string, file: string): [string, User][] {
  return names.map((name) => [name, { label, file }])
}

interface Unanswered {
  readonly problems: readonly Problem[]
  /** Names that are not mistakes: such logs may arrive some day. */
  readonly waiting: ReadonlyMap<string, readonly User[]>
}

function unanswered(
  { noun, managed, effect }: Kind,
  used: readonly [string, User][],
  answering: ReadonlySet<string>,
): Unanswered {
  const problems: Problem[] = []
  const waiting = new Map<string, readonly User[]>()
  for (const [name, users] of usersByName(used)) {
    if (answering.has(name) || (isPattern(name) && [...answering].some((one) => fits(name, one)))) continue
    const advice = mistake(name, managed, answering)
    if (advice === undefined) waiting.set(name, users)
    else {
      const message = (who: string) => `no schema and no source has the ${noun} '${name}', so ${effect} ${who}${advice}`
      problems.push(problemOfUsers(users, message))
    }
  }
  return { problems, waiting }
}

/** What to do about an unknown name; `undefined` if Panther's service has it, or is likely to. */
function mistake(name: string, { names, vendors }: ManagedNames, answering: ReadonlySet<string>): string | undefined {
  if (names.has(name)) {
    const same = [...answering].find((known) => known.toLowerCase() === name.toLowerCase())
    return same && `: it is called '${same}' here`
  }
  const near = suggestion(name, answering) || suggestion(name, names)
  if (near !== '') return near
  if (vendors.has(name.split('.', 1)[0]!)) return undefined
  return ': correct the name, add a schema, or add it to `log_types` of a source'
}

/** One sentence for all of them: hundreds of third-party rules are about logs that are never sent. */
function waitingNotice({ noun, plural, advice }: Kind, waiting: Unanswered['waiting']): string[] {
  if (waiting.size === 0) return []
  const items = new Set([...waiting.values()].flat().map(({ label }) => label))
  const byCount = [...waiting].sort(([, a], [, b]) => b.length - a.length)
  const listed = byCount.slice(0, MAX_LISTED).map(([name, users]) => `${name} (${users.length})`)
  const more = byCount.length > MAX_LISTED ? ` and ${byCount.length - MAX_LISTED} more` : ''
  const types = `${waiting.size} ${noun}${waiting.size === 1 ? '' : 's'}`
  const wait = items.size === 1 ? `1 ${plural[0]} waits` : `${items.size} ${plural[1]} wait`
  return [`${wait} for ${types} of Panther that have no schema and no source here: ${listed.join(', ')}${more}: ${advice}`]
}
