import { isObject, type JsonObject } from '../../../model/json.ts'
import { parseJson, stringifyJson } from '../../../util/json.ts'

/** What a service answered about an address. */
export interface Answer {
  /** Epoch ms. */
  readonly untilMs: number
  /** JSON text; `undefined`: nothing that belongs in the table. */
  readonly row: string | undefined
}

/** One line of the file. Short names, since there is one for each address. */
export type LogLine =
  /** The first line: answers of another service do not count. */
  | { readonly service: string }
  /** At that time, this number of addresses was about to be asked for. */
  | { readonly asked: number; readonly n: number }
  | { readonly ip: string; readonly until: number; readonly row?: JsonObject }
  /** Its answer has expired. */
  | { readonly gone: string }

const MAX_DEPTH = 40
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** The contents of the file in which a live table's answers are stored: everything that must survive a crash. */
export class AnswerLog {
  readonly service: string
  readonly answers = new Map<string, Answer>()
  /** Addresses asked for, by day and by time of the last minute. */
  readonly #byDay = new Map<number, number>()
  #recent: { readonly ms: number; readonly n: number }[] = []
  #isOurs = false

  constructor(service: string) {
    this.service = service
  }

  apply(line: LogLine): void {
    if ('service' in line) this.#isOurs = line.service === this.service
    else if (!this.#isOurs) return
    else if ('asked' in line) this.#count(line.asked, line.n)
    else if ('gone' in line) this.answers.delete(line.gone)
    else this.answers.set(line.ip, { untilMs: line.until, row: line.row && stringifyJson(line.row) })
  }

  /** Applies a line of text; one that is damaged is ignored, which costs one look-up. */
  read(text: string): void {
    const result = parseJson(text, { maxDepth: MAX_DEPTH })
    if (result.kind === 'ok' && isLine(result.value)) this.apply(result.value)
  }

  clear(): void {
    this.answers.clear()
    this.#byDay.clear()
    this.#recent = []
  }

  /** Addresses asked for on the UTC day of that time. */
  askedOn(ms: number): number {
    return this.#byDay.get(dayOf(ms)) ?? 0
  }

  /** When addresses were asked for within the last minute. */
  askedLately(nowMs: number): readonly { readonly ms: number; readonly n: number }[] {
    // After a clock was set back, later times count as now.
    this.#recent = this.#recent.map(({ ms, n }) => ({ ms: Math.min(ms, nowMs), n })).filter(({ ms }) => ms > nowMs - MINUTE_MS)
    return this.#recent
  }

  /** The fewest lines with the same contents. */
  lines(nowMs: number): LogLine[] {
    const recent = this.askedLately(nowMs)
    const today = dayOf(nowMs)
    const earlier = this.askedOn(nowMs) - recent.reduce((sum, { ms, n }) => sum + (dayOf(ms) === today ? n : 0), 0)
    return [
      { service: this.service },
      // Noted at the start of the day: within the last minute it might count twice.
      ...(earlier > 0 ? [{ asked: today * DAY_MS, n: earlier }] : []),
      ...recent.map(({ ms, n }) => ({ asked: ms, n })),
      ...[...this.answers].map(([ip, { untilMs, row }]) => ({
        ip,
        until: untilMs,
        ...(row !== undefined && { row: objectOf(row) }),
      })),
    ]
  }

  #count(ms: number, n: number): void {
    const day = dayOf(ms)
    this.#byDay.set(day, (this.#byDay.get(day) ?? 0) + n)
    for (const other of this.#byDay.keys()) if (other < day - 1) this.#byDay.delete(other)
    this.#recent.push({ ms, n })
    if (this.#recent.length > 100_000) this.#recent = this.#recent.filter((one) => one.ms > ms - MINUTE_MS)
  }
}

function objectOf(text: string): JsonObject {
  const result = parseJson(text, { maxDepth: MAX_DEPTH })
  return result.kind === 'ok' && isObject(result.value) ? result.value : {}
}

function isLine(value: unknown): value is LogLine {
  if (!isObject(value)) return false
  const { service, asked, n, ip, until, row, gone } = value
  if (typeof service === 'string' || typeof gone === 'string') return true
  if (typeof ip === 'string') return typeof until === 'number' && (row === undefined || isObject(row))
  return typeof asked === 'number' && typeof n === 'number'
}

function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}
