import type { AlertBody, AlertWindow, KnownGroup } from '../../model/alert.ts'
import { SEVERITIES, type Severity } from '../../model/rule.ts'
import { kindOf, type ProblemWhat, type SystemProblem, systemRuleId } from '../../model/system-problem.ts'
import { hash16 } from '../../util/hash.ts'
import { printable } from '../../util/terminal.ts'
import { alertIdOf } from './step.ts'

/** Problems with one cause: they share an alert. */
export interface ProblemGroup {
  readonly groupKey: string
  readonly what: ProblemWhat
  /** '' if all problems of the kind share the alert. */
  readonly key: string
  readonly problems: readonly SystemProblem[]
}

/** A cause that persists is alerted again after this time. */
export const REMIND_MS = 24 * 60 * 60_000
/** Minimum time before the same cause is alerted again because it affects more. */
export const QUIET_MS = 60 * 60_000
/** Maximum number of names that an alert lists; it always includes the total. */
export const MAX_COVERS = 500
const MAX_NAME_CHARS = 300
const MAX_TITLE_CHARS = 300
const MAX_MESSAGES = 20
const MAX_MESSAGE_CHARS = 1000

/** Problems by cause, as defined for their kind. */
export function groupProblems(problems: readonly SystemProblem[]): ProblemGroup[] {
  const groups = new Map<string, { what: ProblemWhat; key: string; problems: SystemProblem[] }>()
  for (const problem of problems) {
    const key = kindOf(problem.what).alerts === 'each' ? problem.key : ''
    const groupKey = hash16('system', problem.what, key)
    const group = groups.get(groupKey)
    if (group) group.problems.push(problem)
    else groups.set(groupKey, { what: problem.what, key, problems: [problem] })
  }
  return [...groups].map(([groupKey, group]) => ({ groupKey, ...group }))
}

/**
 * The alert that a cause requires now, given its alerts that have not ended: none while the last one covers everything. Whatever it does
 * not cover yet is alerted once `QUIET_MS` have passed, a higher severity at once.
 */
export function systemAlert(group: ProblemGroup, { windows, nextNumber }: KnownGroup, nowMs: number): AlertWindow | undefined {
  const last = windows.at(-1)
  const severity = worst(group.problems)
  const covers = [...new Set(group.problems.flatMap(({ covers: names, key }) => names ?? [key]))].map(named)
  if (last) {
    const isWorse = rank(severity) > rank(last.severity)
    if (!isWorse && (nowMs < last.startMs + QUIET_MS || !hasMore(covers, last.body))) return undefined
  }
  const { groupKey, what } = group
  const ruleId = systemRuleId(what)
  return {
    alertId: alertIdOf(ruleId, groupKey, nextNumber),
    ruleId,
    groupKey,
    number: nextNumber,
    ruleVersion: null,
    startMs: nowMs,
    endMs: nowMs + REMIND_MS,
    opened: true,
    severity,
    eventCount: group.problems.length,
    createdMs: nowMs,
    updatedMs: nowMs,
    body: bodyOf(group, ruleId, covers, nowMs),
  }
}

function bodyOf({ what, key, problems }: ProblemGroup, ruleId: string, covers: readonly string[], nowMs: number): AlertBody {
  const { headline, meaning, advice } = kindOf(what)
  const time = new Date(nowMs).toISOString()
  const messages = problems.slice(0, MAX_MESSAGES).map(({ message }) => shown(message, MAX_MESSAGE_CHARS))
  const evidence = problems.flatMap((problem) => (problem.evidence === undefined ? [] : [problem.evidence]))
  const context = {
    what,
    covers: covers.slice(0, MAX_COVERS),
    covers_count: covers.length,
    problems: messages,
    ...(evidence.length > 0 && { evidence: evidence.slice(0, MAX_MESSAGES) }),
  }
  return {
    type: 'SYSTEM',
    title: problems.length === 1 ? shown(problems[0]!.message, MAX_TITLE_CHARS) : titleOf(headline, covers),
    dedup: key === '' ? ruleId : `${ruleId}:${key}`,
    displayName: headline,
    description: meaning,
    reference: '',
    runbook: advice,
    tags: ['System'],
    reports: {},
    destinations: null,
    context: JSON.stringify(context),
    functionErrors: {},
    threshold: 1,
    firstEventTime: time,
    lastEventTime: time,
    logTypes: [],
    indicators: {},
    indicatorsCut: false,
    sampleEvent: null,
    latencyMs: null,
    sourceLabels: [],
  }
}

/** Maximum number of names in a title. */
const TITLE_NAMES = 3

function titleOf(headline: string, covers: readonly string[]): string {
  const more = covers.length > TITLE_NAMES ? ` and ${covers.length - TITLE_NAMES} more` : ''
  return shown(`${headline}: ${covers.slice(0, TITLE_NAMES).join(', ')}${more}`, MAX_TITLE_CHARS)
}

/** True if there is something that the alert does not cover. */
function hasMore(covers: readonly string[], { context }: AlertBody): boolean {
  const known = JSON.parse(context ?? '{}') as { covers?: readonly string[]; covers_count?: number }
  if (covers.length > (known.covers_count ?? 0)) return true
  // Beyond the stored names, only their number can show that there are more.
  if (covers.length > MAX_COVERS) return false
  const names = new Set(known.covers)
  return covers.some((name) => !names.has(name))
}

function worst(problems: readonly SystemProblem[]): Severity {
  return problems.reduce<Severity>((most, { severity }) => (rank(severity) > rank(most) ? severity : most), 'INFO')
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity)
}

function named(name: string): string {
  return shown(name, MAX_NAME_CHARS)
}

function shown(text: string, maxChars: number): string {
  const safe = printable(text.slice(0, maxChars).toWellFormed())
  return text.length > maxChars ? `${safe}…` : safe
}
