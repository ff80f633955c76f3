import { ConfigError } from '../../../util/errors.ts'
import type { DetectionDocument, MemberDocument, TransitionDocument } from './document.ts'
import { readField, readMembers, type Where } from './members.ts'
import { type CorrelationRule, type JoinField, type Member, pairKey } from './rule.ts'

export type ReadPattern = Pick<CorrelationRule, 'members' | 'joins' | 'pattern' | 'notices'>

const MINUTE = 60_000

/** A `Group`: members in any order, joined by `MatchCriteria`. */
export function readGroup(
  list: readonly MemberDocument[],
  criteria: NonNullable<DetectionDocument['MatchCriteria']>,
  needed: number | undefined,
  where: Where,
): ReadPattern {
  const members = readMembers(list, 'Group', where)
  refuseTwins(members, where)
  const joins = Object.keys(criteria)
  const fields: (JoinField[] | undefined)[][] = members.map(() => joins.map(() => undefined))
  for (const [join, name] of joins.entries()) {
    for (const [at, { GroupID: id, Match: path }] of criteria[name]!.entries()) {
      const place = `MatchCriteria.${name}.${at}`
      const member = indexOf(members, id, where(`${place}.GroupID`))
      const own = fields[member]![join] ?? []
      fields[member]![join] = [...own, readField(path, where(`${place}.Match`))]
    }
  }
  const joined = members.map((member, at) => ({ ...member, fields: fields[at]! }))
  if (!joined.some((member) => !member.isAbsent && member.fields.every((list) => list !== undefined))) {
    const names = joins.map((name) => `'${name}'`).join(', ')
    throw new ConfigError(
      `no member that must occur is named in each of ${names}: name at least one in all of them`,
      where('MatchCriteria'),
    )
  }
  return { members: joined, joins, pattern: { kind: 'group', needed: neededOf(members, needed, where) }, notices: [] }
}

/** `MinMatchCount` of the group counts its members; a member with Absence counts if it does not occur, and is always required. */
function neededOf(members: readonly Omit<Member, 'fields'>[], needed: number | undefined, where: Where): number {
  const absent = members.filter(({ isAbsent }) => isAbsent).length
  const count = needed ?? members.length
  if (count > members.length) {
    throw new ConfigError(
      `MinMatchCount ${count} is more than the ${members.length} members of the group`,
      where('MinMatchCount'),
    )
  }
  return Math.max(1, count - absent)
}

/** One match of a rule would count for both, so one match would already satisfy "two of them". */
function refuseTwins(members: readonly Omit<Member, 'fields'>[], where: Where): void {
  for (const [at, { ruleId }] of members.entries()) {
    if (members.findIndex((other) => other.ruleId === ruleId) < at) {
      throw new ConfigError(
        `the rule '${ruleId}' is in the group twice: ask for several matches with MinMatchCount`,
        where(`Group.${at}.RuleID`),
      )
    }
  }
}

/** A `Sequence`: steps in order, joined by the `Match` of its `Transitions`; all fields share one value. */
export function readSequence(
  list: readonly MemberDocument[],
  transitions: readonly TransitionDocument[],
  where: Where,
): ReadPattern {
  const members = readMembers(list, 'Sequence', where)
  const fields: JoinField[][] = members.map(() => [])
  const within = new Map<string, number>()
  const seen = new Set<string>()
  const notices: string[] = []
  for (const [at, written] of transitions.entries()) {
    const transition = forward(members, written)
    if (transition !== written) notices.push(backwardNotice(written))
    const place = (key: string) => where(`Transitions.${at}.${key}`)
    const from = indexOf(members, transition.From, place('From'))
    const to = indexOf(members, transition.To, place('To'))
    refuseLeap(members, from, to, place('To'))
    const key = pairKey(from, to)
    if (seen.has(key))
      throw new ConfigError(
        `there are two transitions from '${transition.From}' to '${transition.To}': make them one`,
        place('To'),
      )
    seen.add(key)
    if (transition.WithinTimeFrameMinutes !== undefined) within.set(key, transition.WithinTimeFrameMinutes * MINUTE)
    const paths = pathsOf(transition, place('Match.0'))
    if (!paths) continue
    addField(fields[from]!, readField(paths.from, place('Match.0')))
    addField(fields[to]!, readField(paths.to, place('Match.0')))
  }
  const first = fields.flat()[0]
  const isStrict = new Set(members.map(({ ruleId }) => ruleId)).size < members.length
  const joined = members.map((member, at) => ({
    ...member,
    fields: first ? [fields[at]!.length > 0 ? fields[at]! : undefined] : [],
  }))
  if (!joined.some((member) => !member.isAbsent && member.fields.every((own) => own !== undefined))) {
    throw new ConfigError(
      'only steps with Absence are joined by a Match: join at least one step that must occur',
      where('Transitions'),
    )
  }
  return { members: joined, joins: first ? [first.path] : [], pattern: { kind: 'sequence', within, isStrict }, notices }
}

/**
 * Existing content expresses "B does not follow A" as a transition from B to A; the order of the Sequence determines what happens
 * first.
 */
function forward(members: readonly Omit<Member, 'fields'>[], transition: TransitionDocument): TransitionDocument {
  const { From: from, To: to, Match: match } = transition
  const place = (id: string) => members.findIndex((member) => member.id === id)
  if (place(to) < 0 || place(from) <= place(to)) return transition
  return {
    ...transition,
    From: to,
    To: from,
    ...(match && { Match: match.map((item) => ({ ...item, From: item.To, To: item.From })) }),
  }
}

function backwardNotice({ From: from, To: to }: TransitionDocument): string {
  return `the transition from '${from}' to '${to}' leads backwards in the Sequence: it is taken as one from '${to}' to '${from}'`
}

function addField(list: JoinField[], field: JoinField): void {
  if (!list.some(({ path }) => path === field.path)) list.push(field)
}

function pathsOf({ Match: match }: TransitionDocument, where: { readonly file: string; readonly path: string }) {
  if (!match) return undefined
  const { On: on, From: from, To: to } = match[0]!
  if (on !== undefined && from === undefined && to === undefined) return { from: on, to: on }
  if (on === undefined && from !== undefined && to !== undefined) return { from, to }
  throw new ConfigError('write either On (the same field in both) or From and To', where)
}

/** A transition leads to the next step, or across steps with Absence to the next one that must occur. */
function refuseLeap(
  members: readonly Omit<Member, 'fields'>[],
  from: number,
  to: number,
  where: { readonly file: string; readonly path: string },
): void {
  const isNext = to > from && members.slice(from + 1, to).every(({ isAbsent }) => isAbsent)
  if (isNext) return
  const how = to > from ? 'leaves out steps that must occur' : 'leads nowhere'
  throw new ConfigError(
    `the transition from '${members[from]!.id}' to '${members[to]!.id}' ${how}: order the Sequence as things happen, and write one transition for each step`,
    where,
  )
}

function indexOf(
  members: readonly Omit<Member, 'fields'>[],
  id: string,
  where: { readonly file: string; readonly path: string },
): number {
  const at = members.findIndex((member) => member.id === id)
  if (at < 0) {
    const known = members.map((member) => `'${member.id}'`).join(', ')
    throw new ConfigError(`there is no member with the ID '${id}'. Known: ${known}`, where)
  }
  return at
}
