import type { Effects, FinishedRows } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import type { RowOrigin } from '../model/schema.ts'
import type { AlertStepResult } from '../stages/alert/step.ts'
import { deliveriesOf, type Routing } from './deliveries.ts'
import type { Generation } from './generation.ts'
import { rawText } from './raw-records.ts'
import {
  DEAD_LETTERS,
  deadLetterRow,
  eventTable,
  matchRow,
  matchTable,
  RULE_ERRORS,
  ruleErrorRow,
  SIGNALS,
  signalRow,
} from './rows.ts'
import type { Grouped, Parsed } from './steps.ts'

export interface EncodeDeps extends Routing {
  readonly generation: Pick<Generation, 'rules' | 'hash'>
}

/** What is no batch has findings only. */
type Encodable = Grouped & Pick<Parsed, 'groups' | 'deadLetters' | 'raw'>

/** Grouped findings → everything that one transaction keeps of them: finished lake rows, windows, deliveries, counts. */
export function encode(found: Encodable, file: string | undefined, deps: EncodeDeps): Effects {
  const { alerts, cacheWrites, correlation, nowMs } = found
  return {
    rows: finishedRows(found, alerts, deps, { file, generation: deps.generation.hash }),
    windows: alerts.windows,
    opened: alerts.opened,
    deliveries: alerts.opened.flatMap((window) => deliveriesOf(window, deps.generation.rules, deps)),
    cacheWrites,
    correlation,
    limits: alerts.limits,
    findings: tally(found),
    nowMs,
  }
}

/** Matches and errors by rule. */
function tally({ judged }: Grouped): Effects['findings'] {
  const matches = new Map<string, number>()
  const errors = new Map<string, number>()
  const lastErrors = new Map<string, string>()
  for (const { finding } of judged) {
    const counts = finding.kind === 'match' ? matches : errors
    counts.set(finding.ruleId, (counts.get(finding.ruleId) ?? 0) + 1)
    if (finding.kind === 'error') lastErrors.set(finding.ruleId, finding.message)
  }
  return { matches, errors, lastErrors }
}

/** Rows by lake table, as NDJSON bytes. */
function finishedRows(judged: Encodable, alerts: AlertStepResult, deps: EncodeDeps, origin: RowOrigin): FinishedRows[] {
  const time = new Date(judged.nowMs).toISOString()
  const finished: FinishedRows[] = []
  const add = (spec: TableSpec, rows: readonly string[]) => {
    for (const piece of pieces(rows)) finished.push({ spec, rows: Buffer.from(`${piece.join('\n')}\n`), count: piece.length })
  }
  for (const { schema, events } of judged.groups) {
    add(
      eventTable(schema),
      events.map((event) => schema.row(event, origin)),
    )
    // A log type may have several schemas at once, when its header changes in the middle of a batch.
    const mine = judged.groups.some((group) => group.schema !== schema && group.schema.name === schema.name) && new Set(events)
    const own = judged.judged.filter(
      ({ finding, event }) => finding.kind === 'match' && event?.p_log_type === schema.name && (!mine || mine.has(event)),
    )
    add(
      matchTable(schema),
      own.map((item) => {
        if (item.finding.kind !== 'match') throw new Error('a match was expected')
        const from = { ...origin, raw: rawText(judged.raw, item.event!.p_row_id) }
        return matchRow(
          schema,
          item.event!,
          item.finding,
          deps.generation.rules.get(item.finding.ruleId),
          alerts.windowOf.get(item),
          from,
        )
      }),
    )
  }
  const matches = judged.judged.flatMap((item) =>
    item.finding.kind === 'match'
      ? [signalRow(item, item.finding, deps.generation.rules.get(item.finding.ruleId), alerts.windowOf.get(item), time)]
      : [],
  )
  add(SIGNALS, matches)
  add(
    DEAD_LETTERS,
    judged.deadLetters.map((letter) => deadLetterRow(letter, time)),
  )
  const errors = judged.judged.flatMap((item) =>
    item.finding.kind === 'error' ? [ruleErrorRow(item.finding, item.event, alerts.windowOf.get(item), time)] : [],
  )
  add(RULE_ERRORS, errors)
  return finished
}

/** Neither a string nor a value of the state may be arbitrarily long, and dead letters are longer than what they are of. */
const PIECE_CHARS = 8 * 1024 * 1024

function* pieces(rows: readonly string[]): Generator<readonly string[]> {
  let from = 0
  let chars = 0
  for (const [i, row] of rows.entries()) {
    if (i > from && chars + row.length > PIECE_CHARS) {
      yield rows.slice(from, i)
      from = i
      chars = 0
    }
    chars += row.length
  }
  if (from < rows.length) yield rows.slice(from)
}
