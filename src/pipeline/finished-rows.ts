import type { FinishedRows } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import type { Rule } from '../model/rule.ts'
import type { RowOrigin } from '../model/schema.ts'
import type { Judged } from '../stages/alert/step.ts'
import { INDEX } from '../stages/store/indicators.ts'
import { blocksOf, fittingBlocks, type ValueRow, valueEncoder, type WriteRows } from '../util/block/encode.ts'
import { indicatorRows } from './indicator-rows.ts'
import { rawText } from './raw-records.ts'
import { refusedLetters } from './refused-rows.ts'
import {
  DEAD_LETTERS,
  deadLetterRow,
  eventTable,
  matchTable,
  matchTail,
  RULE_ERRORS,
  ruleErrorRow,
  SIGNALS,
  signalRow,
  writeMatches,
} from './rows.ts'
import type { Grouped, Parsed } from './steps.ts'

const writeIndex = valueEncoder(INDEX.columns)

/** What rows are made of. */
type Found = Grouped & Pick<Parsed, 'groups' | 'deadLetters' | 'raw'>

/** Everything found as rows of lake tables. Throws `UnfitRows` for an event that its table cannot hold. */
export function finishedRows(found: Found, rules: ReadonlyMap<string, Rule>, origin: RowOrigin): FinishedRows[] {
  const time = new Date(found.nowMs).toISOString()
  const { windowOf } = found.alerts
  const finished: FinishedRows[] = []
  const add = <Row>(spec: TableSpec, rows: readonly Row[], write: WriteRows<Row>) => {
    for (const block of blocksOf(rows, write)) finished.push({ spec, ...block })
  }
  for (const group of found.groups) {
    const { schema } = group
    add(eventTable(schema), group.events, (some, out) => schema.encode(some, out, origin))
    add(INDEX, indicatorRows(group.events), writeIndex)
    const matched = matchesOf(found, group).map((item) => {
      if (item.finding.kind !== 'match') throw new Error('a match was expected')
      const raw = rawText(found.raw, item.event!.p_row_id)
      return { event: item.event!, tail: matchTail(item.finding, rules.get(item.finding.ruleId), windowOf.get(item), raw) }
    })
    add(matchTable(schema), matched, (some, out) => writeMatches(schema, some, out, origin))
  }
  const deadLetters = [...found.deadLetters]
  const addValues = (spec: TableSpec, rows: readonly ValueRow[]) => {
    const { blocks, unfit } = fittingBlocks(spec.columns, rows)
    finished.push(...blocks.map((block) => ({ spec, ...block })))
    if (spec !== DEAD_LETTERS) deadLetters.push(...refusedLetters(spec, unfit))
  }
  const signals = found.judged.flatMap((item) =>
    item.finding.kind === 'match'
      ? [signalRow(item, item.finding, rules.get(item.finding.ruleId), windowOf.get(item), time)]
      : [],
  )
  addValues(SIGNALS, signals)
  const errors = found.judged.flatMap((item) =>
    item.finding.kind === 'error' ? [ruleErrorRow(item.finding, item.event, windowOf.get(item), time)] : [],
  )
  addValues(RULE_ERRORS, errors)
  addValues(
    DEAD_LETTERS,
    deadLetters.map((letter) => deadLetterRow(letter, time)),
  )
  return finished
}

/** The matches of a group's events. A log type may have several schemas at once, when its header changes in the middle of a batch. */
function matchesOf({ groups, judged }: Found, { schema: { name }, events }: Found['groups'][number]): readonly Judged[] {
  const isShared = groups.filter(({ schema }) => schema.name === name).length > 1
  const mine = isShared ? new Set(events) : undefined
  return judged.filter(
    ({ finding, event }) => finding.kind === 'match' && event?.p_log_type === name && (!mine || mine.has(event)),
  )
}
