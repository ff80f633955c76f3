import { type Node, nameOf, variant } from '../ast.ts'
import { type Call, type FunctionTable, fn } from '../call.ts'
import { intervalSql, readSpans, unitOf } from '../duration.ts'
import { asNumber, asTime, type Value } from '../value.ts'

/**
 * The time at which the query runs. For a scheduled query it is the due time, so that windows meet without gaps. A placeholder that the
 * caller fills with RFC 3339 text; see `NOW_PARAM`.
 */
export const NOW: Value = { sql: "toDateTime64({query_time:String}, 9, 'UTC')", shape: 'time' }

const time = (sql: string): Value => ({ sql, shape: 'time' })
const number = (sql: string): Value => ({ sql, shape: 'number' })

const now = fn(0, 1, () => NOW)
const today = fn(0, 0, () => ({ sql: `toDate(${NOW.sql})`, shape: 'date' }))
const toTime = fn(1, 2, (call) => {
  if (call.count > 1) return call.context.unsupported(`${call.name.toUpperCase()} with a format or a scale`)
  return time(asTime(call.value(0)))
})
const toDate = fn(1, 1, (call) => ({ sql: `toDate(${asTime(call.value(0))})`, shape: 'date' }))

const add = fn(3, 3, (call) => {
  const unit = unitAt(call, 0)
  return unit ? time(`add${unit}s(${asTime(call.value(2))}, ${asNumber(call.value(1))})`) : noUnit(call, 0)
})

const difference = fn(3, 3, (call) => {
  const unit = unitAt(call, 0)
  if (!unit) return noUnit(call, 0)
  return number(`dateDiff('${unit.toLowerCase()}', ${asTime(call.value(1))}, ${asTime(call.value(2))})`)
})

function partFunction(name: string, argument = '') {
  return fn(1, 1, (call) => number(`${name}(${asTime(call.value(0))}${argument})`))
}

const PARTS: Readonly<Record<string, string>> = {
  Second: 'toSecond',
  Minute: 'toMinute',
  Hour: 'toHour',
  Day: 'toDayOfMonth',
  Week: 'toISOWeek',
  Month: 'toMonth',
  Quarter: 'toQuarter',
  Year: 'toYear',
}

/** Dates and times, and Panther's macros. https://docs.snowflake.com/en/sql-reference/functions-date-time */
export const TIME_FUNCTIONS: FunctionTable = {
  current_timestamp: now,
  p_current_timestamp: now,
  sysdate: now,
  getdate: now,
  localtimestamp: now,
  systimestamp: now,
  current_date: today,
  to_timestamp: toTime,
  to_timestamp_ntz: toTime,
  to_timestamp_ltz: toTime,
  to_timestamp_tz: toTime,
  try_to_timestamp: toTime,
  try_to_timestamp_ntz: toTime,
  to_date: toDate,
  try_to_date: toDate,
  date: toDate,
  dateadd: add,
  timeadd: add,
  timestampadd: add,
  datediff: difference,
  timediff: difference,
  timestampdiff: difference,
  date_trunc: fn(2, 2, (call) => {
    const at = unitAt(call, 0) ? 0 : 1
    const unit = unitAt(call, at)
    if (!unit) return noUnit(call, 0)
    return time(`toDateTime64(dateTrunc('${unit.toLowerCase()}', ${asTime(call.value(1 - at))}, 'UTC'), 9, 'UTC')`)
  }),
  time_slice: fn(3, 3, (call) => {
    const [count, unit] = [call.integer(1), unitAt(call, 2)]
    if (!unit || count === undefined || count < 1) return noUnit(call, 2)
    return time(`toDateTime64(toStartOfInterval(${asTime(call.value(0))}, toInterval${unit}(${count}), 'UTC'), 9, 'UTC')`)
  }),
  date_part: fn(2, 2, (call) => extractPart(call, call.word(0) ?? '', call.value(1))),
  second: partFunction('toSecond'),
  minute: partFunction('toMinute'),
  hour: partFunction('toHour'),
  day: partFunction('toDayOfMonth'),
  dayofmonth: partFunction('toDayOfMonth'),
  month: partFunction('toMonth'),
  quarter: partFunction('toQuarter'),
  year: partFunction('toYear'),
  dayofyear: partFunction('toDayOfYear'),
  dayofweek: partFunction('toDayOfWeek', ', 2'),
  dayofweekiso: partFunction('toDayOfWeek'),
  dayname: fn(1, 1, (call) => ({ sql: `formatDateTime(${asTime(call.value(0))}, '%a')`, shape: 'text' })),
  p_occurs_since: fn(1, 3, (call) => {
    const past = pastSql(call, 0)
    if (past === undefined) return call.context.unsupported(`p_occurs_since(${call.word(0) ?? '…'}): not a span of time`)
    const column = eventTime(call, 1)
    return { sql: `(${column} >= ${NOW.sql}${past} AND ${column} < ${NOW.sql})`, shape: 'boolean' }
  }),
  p_occurs_between: fn(2, 4, (call) => {
    const column = eventTime(call, 2)
    const [from, to] = [asTime(call.value(0)), asTime(call.value(1))]
    return { sql: `(${column} >= ${from} AND ${column} <= ${to})`, shape: 'boolean' }
  }),
  p_occurs_after: fn(1, 3, (call) => ({ sql: `(${eventTime(call, 1)} >= ${asTime(call.value(0))})`, shape: 'boolean' })),
  p_occurs_before: fn(1, 3, (call) => ({ sql: `(${eventTime(call, 1)} <= ${asTime(call.value(0))})`, shape: 'boolean' })),
  p_occurs_around: fn(2, 4, (call) => {
    const spans = spansAt(call, 1)
    if (!spans) return call.context.unsupported('p_occurs_around with something that is not a span of time')
    const [column, around] = [eventTime(call, 2), asTime(call.value(0))]
    const [from, to] = [intervalSql(spans, '-'), intervalSql(spans, '+')]
    return { sql: `(${column} >= ${around}${from} AND ${column} <= ${around}${to})`, shape: 'boolean' }
  }),
}

/** The part of a time that `word` names, as returned by EXTRACT and DATE_PART. */
export function extractPart(call: Pick<Call, 'context'>, word: string, value: Value): Value {
  const named = word.toLowerCase()
  if (named.startsWith('epoch')) return number(`toUnixTimestamp(${asTime(value)})`)
  if (named === 'dow' || named === 'dayofweek') return number(`toDayOfWeek(${asTime(value)}, 2)`)
  if (named === 'doy' || named === 'dayofyear') return number(`toDayOfYear(${asTime(value)})`)
  const name = PARTS[unitOf(word) ?? '']
  return name ? number(`${name}(${asTime(value)})`) : call.context.unsupported(`the part of time '${word}'`)
}

function unitAt(call: Call, at: number) {
  return unitOf(call.word(at) ?? '')
}

function noUnit(call: Call, at: number): Value {
  return call.context.unsupported(`${call.name.toUpperCase()} with the unit ${call.word(at) ?? '…'}`)
}

function spansAt(call: Call, at: number) {
  const seconds = call.integer(at)
  return readSpans(seconds === undefined ? (call.word(at) ?? '') : String(seconds))
}

function pastSql(call: Call, at: number): string | undefined {
  const spans = spansAt(call, at)
  return spans && spans.length > 0 ? intervalSql(spans, '-') : undefined
}

/** `p_event_time`, or the column that the macro names, of the relation that it names. */
function eventTime(call: Call, at: number): string {
  const alias = call.count > at ? call.bareName(at) : undefined
  const column = call.count > at + 1 && !isNull(call.node(at + 1)) ? call.bareName(at + 1) : undefined
  if (!alias && !column) return asTime(call.scope.resolve({ text: 'p_event_time', quoted: false }))
  const name = column ?? { text: 'p_event_time', quoted: false }
  if (!alias) return asTime(call.scope.resolve(name))
  const value = call.scope.resolveIn(alias.text, name)
  return asTime(value ?? call.context.unsupported(`${call.name}: there is no relation ${alias.text}`))
}

function isNull(node: Node): boolean {
  const { tag, body } = variant(node)
  return tag === 'Value' && variant((body as { value?: Node }).value).tag === 'Null'
}

/** The bare name of an argument. */
export function bareNameOf(node: Node) {
  const { tag, body } = variant(node)
  return tag === 'Identifier' ? nameOf(body) : undefined
}
