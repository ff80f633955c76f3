import type { FinishedRows } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import type { Event } from '../model/event.ts'
import type { Match } from '../model/match.ts'
import type { Rule } from '../model/rule.ts'
import type { RowOrigin } from '../model/schema.ts'
import type { Judged } from '../stages/alert/step.ts'
import type { ParsedEvents } from '../stages/parse/parser.ts'
import { INDEX } from '../stages/store/indicators.ts'
import { blocksOf, columnBlocks, fittingBlocks, type ValueRow, type WriteRows } from '../util/block/encode.ts'
import { indicatorColumns } from './indicator-rows.ts'
import { rawText } from './raw-records.ts'
import { withReadRows } from './read-rows.ts'
import { refusedLetters } from './refused-rows.ts'
import {
  DEAD_LETTERS,
  deadLetterRow,
  eventTable,
  matchTable,
  matchTail,
  RULE_ERRORS,
  rowsOf,
  ruleErrorRow,
  SIGNALS,
  signalRow,
  writeMatches,
} from './rows.ts'
import type { Encoded, Grouped, Parsed } from './steps.ts'

/**
 * The parts of events that depend on no decision: their rows, and what they add to the index. Throws `UnfitRows` for events that do not
 * fit.
 */
export function eventRows({ schema, events }: ParsedEvents, origin: RowOrigin): FinishedRows[] {
  const index = indicatorColumns(events)
  return [
    ...finished(eventTable(schema), events, (some, out) => schema.encode(some, out, origin)),
    ...columnBlocks(INDEX.columns, index.columns, index.count).map((block) => ({ spec: INDEX, ...block })),
  ]
}

/** The input of rows. */
type Found = Grouped & Pick<Parsed, 'groups' | 'deadLetters' | 'raw'> & Encoded<readonly FinishedRows[]>

/** All findings as rows of lake tables. */
export function finishedRows(found: Found, rules: ReadonlyMap<string, Rule>, origin: RowOrigin): FinishedRows[] {
  const time = new Date(found.nowMs).toISOString()
  const { windowOf } = found.alerts
  const rows = found.encoded.flat()
  const matches = found.judged.filter(isMatch)
  for (const { schema, matched } of matchedEvents(found.groups, matches)) {
    const items = matched.map(({ event, item }) => {
      const { finding } = item
      const raw = rawText(found.raw, event.p_row_id)
      return { event: withReadRows(event, finding), tail: matchTail(finding, rules.get(finding.ruleId), windowOf.get(item), raw) }
    })
    rows.push(...finished(matchTable(schema), items, (some, out) => writeMatches(schema, some, out, origin)))
  }
  const deadLetters = [...found.deadLetters]
  const addValues = (spec: TableSpec, values: readonly ValueRow[]) => {
    const { blocks, unfit } = fittingBlocks(spec.columns, values)
    for (const block of blocks) rows.push({ spec, ...block })
    deadLetters.push(...refusedLetters(spec, unfit))
  }
  const signals = matches.map((item) => signalRow(item, item.finding, rules.get(item.finding.ruleId), windowOf.get(item), time))
  addValues(SIGNALS, signals)
  const errors = found.judged.flatMap((item) =>
    item.finding.kind === 'error' ? [ruleErrorRow(item.finding, item, windowOf.get(item), time)] : [],
  )
  addValues(RULE_ERRORS, errors)
  const letters = deadLetters.map((letter) => deadLetterRow(letter, time))
  return [...rows, ...rowsOf(DEAD_LETTERS, letters)]
}

function finished<Row>(spec: TableSpec, rows: readonly Row[], write: WriteRows<Row>): FinishedRows[] {
  return blocksOf(rows, write).map((block) => ({ spec, ...block }))
}

type JudgedMatch = Judged & { readonly finding: Match }

function isMatch(item: Judged): item is JudgedMatch {
  return item.finding.kind === 'match'
}

/** The matches of each group's events, except those that are about more. An event that became a dead letter is in no group: it has no row, so neither have its matches. */
function matchedEvents(groups: readonly ParsedEvents[], matches: readonly JudgedMatch[]) {
  const byEvent = new Map<Event | undefined, JudgedMatch[]>()
  for (const item of matches) {
    if (item.isWider) continue
    const same = byEvent.get(item.event)
    if (same) same.push(item)
    else byEvent.set(item.event, [item])
  }
  return (matches.length > 0 ? groups : []).map(({ schema, events }) => ({
    schema,
    matched: events.flatMap((event) => (byEvent.get(event) ?? []).map((item) => ({ event, item }))),
  }))
}
