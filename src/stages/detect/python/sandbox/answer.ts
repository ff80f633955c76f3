import { isCondition } from '../../../../model/condition/check.ts'
import type { RuleError } from '../../../../model/match.ts'
import { SEVERITIES } from '../../../../model/rule.ts'
import { isJson } from '../../../../util/json.ts'
import { lowerBound } from '../../../../util/lower-bound.ts'
import type {
  EvaluateAnswer,
  EvaluateHeader,
  LoadAnswer,
  NecessaryContent,
  Reply,
  TamperingAnswer,
  TestAnswer,
} from './protocol.ts'
import { readQuestion } from './row-answer.ts'
import { traceFault } from './trace-answer.ts'

/**
 * Everything that a child sends is validated here before it is used: types, ranges, names, JSON, sizes. Rules share the child's
 * interpreter with the engine, so any of it may have been written by a rule. Nothing here throws.
 */
export type Checked<T> = { readonly value: T } | { readonly malformed: string }

/** Python's limits count code points, each of which may be two UTF-16 units. */
const MAX_TEXT = 2 * 1000
const MAX_UNIQUE = 2 * 200 * 1024
const MAX_CONTEXT = 200 * 1024
const MAX_DESTINATIONS = 10
const MAX_MESSAGE = 32 * 1024
const MAX_KEY = 2 * 2048
/** An entry's text is ASCII. */
const MAX_ENTRY = 400 * 1024
/** Maximum number of changes: the entries of a full cache, and the same number of evicted ones. */
const MAX_WRITES = 2 * 100_000
const MAX_RULES = 100_000
const MAX_PRINTED = 2 * 300 * 1024
/** Questions to tables that a match records. */
const MAX_NOTED = 20

const FUNCTIONS: ReadonlySet<string> = new Set([
  'title',
  'description',
  'reference',
  'severity',
  'runbook',
  'destinations',
  'dedup',
  'alert_context',
  'unique',
])
const ANSWERED_SEVERITIES: ReadonlySet<unknown> = new Set([...SEVERITIES, 'DEFAULT'])
const ROW_CAUSES: ReadonlySet<unknown> = new Set<RuleError['cause']>(['exception', 'return_type', 'timeout'])
const LOAD_CAUSES: ReadonlySet<unknown> = new Set<RuleError['cause']>(['timeout', 'import', 'tampering'])

const decoder = new TextDecoder()

/** A fault in an answer; never leaves this file. */
class Fault extends Error {}

/** `count`: number of events sent. Rows must be about rules in the header; at most one match and one error per event and rule. */
export function readEvaluation(
  bytes: Uint8Array,
  header: Pick<EvaluateHeader, 'rules' | 'only' | 'skip'>,
  count: number,
): Checked<EvaluateAnswer | TamperingAnswer> {
  return checked(bytes, (answer) => {
    if (typeof answer['failed'] === 'string') throw new Fault(shown(answer['failed']))
    if ('changed' in answer) return tampering(answer['changed'], header.rules.length)
    const { rows, seconds, cacheWrites, cacheEvictions } = answer
    checkRows(rows, header, count)
    checkSeconds(seconds, header.rules.length)
    checkWrites(cacheWrites)
    checkEvictions(cacheEvictions)
    return answer as unknown as EvaluateAnswer
  })
}

/** One answer per test, in their order. */
export function readTests(bytes: Uint8Array, count: number): Checked<readonly TestAnswer[]> {
  return checked(bytes, (answers) => {
    const list = listOf(answers, 'answers')
    if (list.length !== count) throw new Fault(`${list.length} answers to ${count} tests`)
    for (const [i, answer] of list.entries()) checkTest(answer, `answers[${i}]`)
    return list as readonly TestAnswer[]
  })
}

/** `items`: number of rules and data models sent. */
export function readLoad(bytes: Uint8Array, items: number, helpers: number): Checked<LoadAnswer> {
  return checked(bytes, (answer) => {
    for (const [i, error] of listOf(answer['errors'], 'errors').entries()) {
      const [number, cause, message] = listOf(error, `errors[${i}]`)
      checkIndex(number, items, `errors[${i}][0]`)
      if (!LOAD_CAUSES.has(cause)) throw unexpected(cause, `errors[${i}][1]`)
      checkText(message, MAX_MESSAGE, `errors[${i}][2]`)
    }
    for (const [i, entry] of listOf(answer['broken'], 'broken').entries()) {
      const [index, why] = listOf(entry, `broken[${i}]`)
      checkIndex(index, helpers, `broken[${i}][0]`)
      checkText(why, MAX_MESSAGE, `broken[${i}][1]`)
    }
    if (answer['changed'] !== null) checkText(answer['changed'], MAX_MESSAGE, 'changed')
    return answer as unknown as LoadAnswer
  })
}

/** Compiled code per source, in base64; `null` if it cannot be compiled. */
export function readCompiled(bytes: Uint8Array, count: number): Checked<readonly (string | null)[]> {
  return checked(bytes, (answer) => {
    const list = listOf(answer, 'compiled')
    if (list.length !== count) throw new Fault(`${list.length} answers to ${count} sources`)
    for (const [i, code] of list.entries()) {
      if (code !== null && (typeof code !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(code)))
        throw unexpected(code, `compiled[${i}]`)
    }
    return list as readonly (string | null)[]
  })
}

/** The lines that `_caracal/necessary.py` wrote about the content, checked one by one. */
export function readNecessary(bytes: Uint8Array, { rules, logTypes }: NecessaryContent): Checked<string> {
  const ids = new Set(rules.map(({ id }) => id))
  try {
    const text = decoder.decode(bytes)
    for (const [i, line] of text.split('\n').entries()) {
      const value: unknown = JSON.parse(line)
      if (i === 0) checkTraits(value, ids)
      else checkCondition(value, logTypes, `line ${i + 1}`)
    }
    return { value: text }
  } catch (error) {
    return malformed(error)
  }
}

/** Whether a frame's header is one of the replies that a child sends. */
export function isReply(header: unknown): header is Reply {
  const { kind, mark, ms, interrupted, how, message, isReading } = (header ?? {}) as Record<string, unknown>
  if (kind === 'answer') return true
  if (!isIndex(mark, 2 ** 32)) return false
  if (kind === 'lookup') return true
  if (kind === 'beat') return typeof ms === 'number' && ms >= 0 && typeof interrupted === 'boolean'
  const isEnd = kind === 'died' && (how === 'timeout' || how === 'crash') && typeof isReading === 'boolean'
  return isEnd && typeof message === 'string' && message.length <= MAX_MESSAGE
}

function checked<T>(bytes: Uint8Array, read: (answer: Record<string, unknown>) => T): Checked<T> {
  try {
    const answer: unknown = JSON.parse(decoder.decode(bytes))
    if (typeof answer !== 'object' || answer === null) throw unexpected(answer, 'the answer')
    return { value: read(answer as Record<string, unknown>) }
  } catch (error) {
    return malformed(error)
  }
}

function malformed(error: unknown): { readonly malformed: string } {
  return {
    malformed: `the Python child returned a malformed response: ${error instanceof Error ? error.message : String(error)}`,
  }
}

function tampering(changed: unknown, rules: number): TamperingAnswer {
  const [rule, what] = listOf(changed, 'changed')
  if (rule !== null) checkIndex(rule, rules, 'changed[0]')
  checkText(what, MAX_MESSAGE, 'changed[1]')
  return { changed: [rule as number | null, what as string] }
}

function checkRows(rows: unknown, { rules, only, skip }: Pick<EvaluateHeader, 'rules' | 'only' | 'skip'>, count: number): void {
  const list = listOf(rows, 'rows')
  if (list.length === 0) return
  const left = new Set<number>(skip.map(([rule, event]) => event * rules.length + rule))
  const seen = new Set<number>()
  for (let i = 0; i < list.length; i++) {
    const row = list[i] as unknown[]
    if (!Array.isArray(row)) throw unexpected(row, `rows[${i}]`)
    const hasQuestions = row.length === 5 && typeof row[2] !== 'string'
    if (row.length !== 4 && !hasQuestions) throw unexpected(row, `rows[${i}]`)
    const event = row[0] as number
    const rule = row[1] as number
    if (!isIndex(event, count)) throw unexpected(event, `rows[${i}], the event's index,`)
    if (!isIndex(rule, rules.length)) throw unexpected(rule, `rows[${i}], the rule's index,`)
    const call = event * rules.length + rule
    if (left.has(call) || (only && !has(only[rule]!, event)))
      throw new Fault(`rows[${i}] is about event ${event}, which its rule was not given`)
    // A match whose title() did not end is a match and a time-out.
    const key = 2 * call + (typeof row[2] === 'string' ? 1 : 0)
    if (seen.has(key)) throw new Fault(`rows[${i}] is a second answer about event ${event}`)
    seen.add(key)
    if (typeof row[2] === 'string') {
      if (!ROW_CAUSES.has(row[2])) throw unexpected(row[2], `rows[${i}], the error's cause,`)
      checkText(row[3], MAX_MESSAGE, `rows[${i}], the error's message,`)
    } else {
      checkValues(row[2], i)
      checkErrors(row[3], `rows[${i}], the functions' errors,`)
      if (hasQuestions) checkQuestions(row[4], `rows[${i}], what it looked up,`)
    }
  }
}

function checkQuestions(questions: unknown, where: string): void {
  const list = listOf(questions, where)
  if (list.length > MAX_NOTED) throw new Fault(`${where} has ${list.length} questions, more than ${MAX_NOTED}`)
  for (const question of list) {
    if (typeof question !== 'string' || !readQuestion(question)) throw unexpected(question, where)
  }
}

function checkValues(values: unknown, row: number): void {
  if (!isPlain(values)) throw unexpected(values, `rows[${row}], the functions' values,`)
  for (const name in values) {
    const value = values[name]
    const isRight =
      name === 'alert_context'
        ? objectOf(value, MAX_CONTEXT) !== undefined
        : name === 'severity'
          ? ANSWERED_SEVERITIES.has(value)
          : name === 'destinations'
            ? value === null || isDestinations(value)
            : name === 'unique'
              ? value === null || isText(value, MAX_UNIQUE)
              : FUNCTIONS.has(name) && isText(value, MAX_TEXT)
    if (!isRight) throw unexpected(value, `rows[${row}].${shown(name)}`)
  }
}

function isDestinations(value: unknown): boolean {
  return Array.isArray(value) && value.length <= MAX_DESTINATIONS && value.every((name) => isText(name, MAX_TEXT))
}

function checkErrors(errors: unknown, where: string, names = FUNCTIONS): void {
  if (!isPlain(errors)) throw unexpected(errors, where)
  for (const name in errors) {
    if (!names.has(name)) throw new Fault(`${where} has an unknown function ${shown(name)}`)
    checkText(errors[name], MAX_MESSAGE, `${where} ${name}`)
  }
}

function checkSeconds(seconds: unknown, rules: number): void {
  const list = listOf(seconds, 'seconds')
  if (list.length !== rules) throw new Fault(`seconds of ${list.length} rules instead of ${rules}`)
  for (const value of list) if (!(typeof value === 'number' && value >= 0)) throw unexpected(value, 'seconds')
}

function checkWrites(writes: unknown): void {
  const list = listOf(writes, 'cacheWrites')
  if (list.length > MAX_WRITES) throw new Fault(`${list.length} cache entries, more than ${MAX_WRITES}`)
  for (const [i, write] of list.entries()) {
    const [key, entry] = listOf(write, `cacheWrites[${i}]`)
    checkText(key, MAX_KEY, `cacheWrites[${i}], the key,`)
    if (key === '') throw new Fault(`cacheWrites[${i}] has an empty key`)
    if (entry !== null && !isEntry(entry)) throw unexpected(entry, `cacheWrites[${i}], the entry of key ${shown(key)},`)
  }
}

function checkEvictions(evictions: unknown): void {
  const list = listOf(evictions, 'cacheEvictions')
  if (list.length > MAX_RULES) throw new Fault(`cacheEvictions of ${list.length} rules, more than ${MAX_RULES}`)
  for (const [i, eviction] of list.entries()) {
    const [ruleId, entries] = listOf(eviction, `cacheEvictions[${i}]`)
    checkText(ruleId, MAX_TEXT, `cacheEvictions[${i}], the rule,`)
    if (!Number.isSafeInteger(entries) || (entries as number) < 1) throw unexpected(entries, `cacheEvictions[${i}], the number,`)
  }
}

/** The JSON text of an entry, as written by `_caracal/cache.py`. */
function isEntry(text: unknown): boolean {
  const parts = objectOf(text, MAX_ENTRY)
  if (!parts) return false
  for (const name in parts) {
    const value = parts[name]
    const isRight =
      name === 'counter'
        ? Number.isInteger(value) || value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY
        : name === 'expires'
          ? Number.isInteger(value)
          : name === 'dictionary'
            ? objectOf(value, MAX_ENTRY) !== undefined
            : name === 'rule'
              ? isText(value, MAX_TEXT)
              : name === 'strings' && Array.isArray(value) && value.every((item) => typeof item === 'string')
    if (!isRight) return false
  }
  return true
}

const TEST_FUNCTIONS: ReadonlySet<string> = new Set([...FUNCTIONS, 'detection'])

function checkTest(answer: unknown, where: string): void {
  if (!isPlain(answer)) throw unexpected(answer, where)
  const { out, errors, where: places, printed, ms } = answer
  if (!isPlain(out)) throw unexpected(out, `${where}.out`)
  for (const name in out) {
    if (!TEST_FUNCTIONS.has(name)) throw new Fault(`${where}.out has an unknown function ${shown(name)}`)
    const text = out[name]
    if (typeof text !== 'string' || !isJson(text)) throw unexpected(text, `${where}.out.${name}`)
  }
  checkErrors(errors, `${where}.errors`, TEST_FUNCTIONS)
  checkErrors(places, `${where}.where`, TEST_FUNCTIONS)
  checkText(printed, MAX_PRINTED, `${where}.printed`)
  if (!(typeof ms === 'number' && ms >= 0)) throw unexpected(ms, `${where}.ms`)
  const fault = answer['trace'] === undefined ? undefined : traceFault(answer['trace'])
  if (fault !== undefined) throw new Fault(`${where}.trace${fault}`)
}

function checkTraits(value: unknown, ids: ReadonlySet<string>): void {
  if (!isPlain(value) || !isTraits(value['shared']) || !isPlain(value['rules'])) throw unexpected(value, 'line 1')
  for (const id in value['rules']) {
    if (!ids.has(id) || !isTraits(value['rules'][id])) throw unexpected(value['rules'][id], `line 1, rule ${shown(id)},`)
  }
}

function isTraits(value: unknown): boolean {
  if (!isPlain(value) || typeof value['mocks'] !== 'boolean') return false
  const { attributes } = value
  return Array.isArray(attributes) && attributes.every((name) => typeof name === 'string')
}

function checkCondition(row: unknown, logTypes: NecessaryContent['logTypes'], where: string): void {
  const [logType, id, condition, mayRaise, problem] = listOf(row, where)
  const isKnown = typeof logType === 'string' && Object.hasOwn(logTypes, logType) && logTypes[logType]!.includes(id as string)
  if (!isKnown) throw new Fault(`${where} is about rule ${shown(id)} and log type ${shown(logType)}, which were not asked about`)
  if (!isCondition(condition)) throw unexpected(condition, `${where}, the condition,`)
  if (typeof mayRaise !== 'boolean' || (problem !== null && !isText(problem, MAX_MESSAGE))) throw unexpected(row, where)
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw unexpected(value, where)
  return value
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most
}

function checkText(value: unknown, most: number, where: string): void {
  if (typeof value !== 'string') throw unexpected(value, where)
  if (value.length > most) throw new Fault(`${where} has ${value.length} characters, more than ${most}`)
}

function isIndex(value: unknown, end: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < end
}

function checkIndex(value: unknown, end: number, where: string): void {
  if (!isIndex(value, end)) throw unexpected(value, where)
}

/** The object in a JSON text; `undefined` if the text is not a JSON object. */
function objectOf(text: unknown, most: number): Record<string, unknown> | undefined {
  if (!isText(text, most)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isPlain(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** `list` is in ascending order. */
function has(list: readonly number[], value: number): boolean {
  return list[lowerBound(list, value)] === value
}

function unexpected(value: unknown, where: string): Fault {
  return new Fault(`${where} is ${shown(value)}`)
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return String(value)
  return value.length > 200 ? `${JSON.stringify(value.slice(0, 200))}… (${value.length} characters)` : JSON.stringify(value)
}
