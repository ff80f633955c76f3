import type { z } from 'zod'
import type { Severity } from '../../../model/rule.ts'
import type { Schedule } from '../../../model/schedule.ts'
import { ConfigError } from '../../../util/errors.ts'
import { hash16 } from '../../../util/hash.ts'
import { type CorrelationRuleDocument, correlationRuleDocument, type DetectionDocument } from './document.ts'
import type { Where } from './members.ts'
import { type ReadPattern, readGroup, readSequence } from './patterns.ts'
import type { CorrelationRule } from './rule.ts'
import { readTests } from './test-document.ts'

const MINUTE = 60_000

/** Reads a correlation rule's YAML document. Throws `ConfigError` with file and path. */
export function parseCorrelationRule(document: unknown, { file }: { readonly file: string }): CorrelationRule {
  const item = check(document, file)
  const detection = item.Detection[0]!
  const where = (path: string) => ({ file, path: path === '' ? 'Detection.0' : `Detection.0.${path}` })
  const { members, joins, pattern, notices } = readPattern(detection, where)
  return {
    id: item.RuleID,
    file,
    enabled: item.Enabled,
    displayName: item.DisplayName,
    severity: item.Severity.toUpperCase() as Severity,
    description: item.Description,
    reference: item.Reference,
    runbook: item.Runbook,
    tags: item.Tags,
    reports: Object.fromEntries(Object.entries(item.Reports).map(([framework, list]) => [framework, list.map(String)])),
    summaryAttributes: item.SummaryAttributes,
    outputIds: item.OutputIds,
    createAlert: item.CreateAlert,
    tests: readTests(item.Tests, members, file),
    schedule: readSchedule(detection, where),
    isReverse: detection.EventEvaluationOrder === 'ReverseChronological',
    lookbackMs: detection.LookbackWindowMinutes * MINUTE,
    pattern,
    members,
    joins,
    notices,
    version: hash16(item.RuleID, JSON.stringify({ ...detection, Schedule: undefined })),
  }
}

function readPattern(detection: DetectionDocument, where: Where): ReadPattern {
  const { Sequence: steps, Transitions: transitions, Group: group, MatchCriteria: criteria, MinMatchCount: needed } = detection
  if ((steps === undefined) === (group === undefined)) {
    throw new ConfigError('write either a Sequence (in order) or a Group (in any order)', where(''))
  }
  const stray = steps ? (criteria ? 'MatchCriteria' : needed && 'MinMatchCount') : transitions && 'Transitions'
  if (stray) {
    throw new ConfigError(
      `${stray} belongs to a ${steps ? 'Group' : 'Sequence'}, and this is a ${steps ? 'Sequence' : 'Group'}: remove it`,
      where(stray),
    )
  }
  return steps ? readSequence(steps, transitions ?? [], where) : readGroup(group!, criteria ?? {}, needed, where)
}

function readSchedule({ Schedule: schedule }: DetectionDocument, where: Where): Schedule | undefined {
  if (!schedule) return undefined
  const { RateMinutes: rateMinutes, CronExpression: cron, TimeoutMinutes: timeoutMinutes } = schedule
  if (rateMinutes !== undefined && cron === undefined) {
    if (rateMinutes >= timeoutMinutes) return { rateMinutes, timeoutMinutes }
    throw new ConfigError(
      `RateMinutes ${rateMinutes} is less than TimeoutMinutes ${timeoutMinutes}: make it at least as long`,
      where('Schedule.RateMinutes'),
    )
  }
  if (cron === undefined || rateMinutes !== undefined)
    throw new ConfigError('write either RateMinutes or CronExpression', where('Schedule'))
  return { cron, timeoutMinutes }
}

function check(document: unknown, file: string): CorrelationRuleDocument {
  const result = correlationRuleDocument.safeParse(document)
  if (result.success) return result.data
  const [issue, ...others] = result.error.issues
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  throw new ConfigError(`${textOf(issue!)}${more}`, { file, path: issue!.path.join('.') })
}

function textOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return issue.message
  return `the key ${issue.keys.map((key) => JSON.stringify(key)).join(', ')} is unknown: remove it`
}
