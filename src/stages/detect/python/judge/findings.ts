import type { ReadRow, TableRows } from '../../../../model/lookup.ts'
import type { Finding, Match, RuleError } from '../../../../model/match.ts'
import type { Rule, Severity } from '../../../../model/rule.ts'
import type { ErrorRow, MatchRow, Row } from '../sandbox/protocol.ts'
import { readQuestion } from '../sandbox/row-answer.ts'

/**
 * A row of an evaluation as a finding: values that the rule's functions did not return come from its metadata, and rows that it has read from
 * `tables`.
 */
export function toFinding(row: Row, rule: Rule, event: number, tables: TableRows | undefined): Finding {
  if (isError(row)) return ruleError(rule.id, event, row[2], row[3].toWellFormed())
  const match = toMatch(row, rule, event)
  // Absent when empty: such a match shares its event's text with all others.
  const looked = row[4]?.flatMap((question) => readRow(question, tables)) ?? []
  return looked.length > 0 ? { ...match, looked } : match
}

function isError(row: Row): row is ErrorRow {
  return typeof row[2] === 'string'
}

export function ruleError(ruleId: string, event: number, cause: RuleError['cause'], message: string): RuleError {
  return { kind: 'error', ruleId, event, cause, message }
}

/** Read again here, since what a rule says it has read is not evidence. */
function readRow(question: string, tables: TableRows | undefined): ReadRow[] {
  // `answer.ts` accepts no other text.
  const { table, key } = readQuestion(question)!
  const found = tables?.find(table, key)
  if (!found || 'problem' in found) return []
  const none = { p_match: key, p_version: found.version, p_missing: true }
  if (Array.isArray(found.row)) return found.row.map((row) => ({ table: found.table, row, isOfList: true }))
  return [{ table: found.table, row: found.row ?? none }]
}

function toMatch([, , values, errors]: MatchRow, rule: Rule, event: number): Match {
  // If title() fails, the title is the id; without a title(), it is the display name.
  const title = (values.title ?? (errors['title'] ? rule.id : (rule.displayName ?? rule.id))).toWellFormed()
  const fromTitle = values.title ?? (errors['title'] ? rule.id : '')
  const dedup = values.dedup ?? (errors['dedup'] ? '' : fromTitle)
  const severity = values.severity && values.severity !== 'DEFAULT' ? (values.severity as Severity) : rule.severity
  return {
    kind: 'match',
    ruleId: rule.id,
    event,
    title,
    dedup: dedup.toWellFormed() || `defaultDedupString:${rule.id}`,
    severity,
    description: values.description?.toWellFormed() ?? rule.description,
    reference: values.reference?.toWellFormed() ?? rule.reference,
    runbook: values.runbook?.toWellFormed() ?? rule.runbook,
    destinations: values.destinations?.map((name) => name.toWellFormed()),
    alertContext: values.alert_context?.toWellFormed(),
    ...(values.unique !== undefined && { unique: values.unique?.toWellFormed() ?? null }),
    functionErrors: errors,
  }
}
