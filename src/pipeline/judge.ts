import type { Event } from '../model/event.ts'
import type { LimitHit } from '../model/limit.ts'
import type { TableRows } from '../model/lookup.ts'
import type { CacheWrite, Finding } from '../model/match.ts'
import type { Judged } from '../stages/alert/step.ts'
import type { DetectBatch, Detector } from '../stages/detect/language.ts'
import { detectEvents } from '../stages/detect/step.ts'
import { messageOf } from '../util/errors.ts'
import { stringifyJson } from '../util/json.ts'
import { isolate, type Retrying, wholeOrApart } from './faults.ts'
import { textWithRows } from './read-rows.ts'
import type { Findings, Parsed } from './steps.ts'

/** Attempts to judge parts of a batch: each may cost the start of a child process. */
const ATTEMPTS = 40

/**
 * Events → findings. If the batch cannot be judged as a whole, each detector judges each log type separately, and the events that it cannot
 * judge cost each of its rules one error. Rejects only for disk failures and when stopping.
 */
export async function judgeBatch<T extends Pick<Parsed, 'groups'>>(
  batch: T,
  detectors: readonly Detector[],
  retrying: Retrying,
  tables: TableRows | undefined,
): Promise<T & Findings> {
  const groups = batch.groups.map(({ schema, events }) => ({ logType: schema.name, events }))
  const what = 'detection cannot run'
  return {
    ...batch,
    ...(await wholeOrApart(
      what,
      () => judgeEvents(groups, detectors, tables),
      () => judgeApart(groups, detectors, tables),
      retrying,
    )),
  }
}

/** Events of one log type, or rows of a query's result under the query's log type. */
interface Events {
  readonly logType: string
  readonly events: readonly Event[]
}

/** Log types are judged concurrently; findings are in the order of the groups. */
export async function judgeEvents(
  groups: readonly Events[],
  detectors: readonly Detector[],
  tables: TableRows | undefined,
): Promise<Findings> {
  const cache = new LastWrites()
  const all = await Promise.all(
    groups.map(({ logType, events }) => detectEvents(logType, events, detectors, { onCacheWrites: cache.add, tables })),
  )
  const judgedOf = judging()
  return { judged: groups.flatMap(({ events }, i) => all[i]!.map((finding) => judgedOf(finding, events))), ...cache.kept }
}

async function judgeApart(
  groups: readonly Events[],
  detectors: readonly Detector[],
  tables: TableRows | undefined,
): Promise<Findings> {
  const cache = new LastWrites()
  const judgedOf = judging()
  const judged: Judged[] = []
  for (const { logType, events } of groups) {
    const order = new Map(events.map((event, i) => [event, i]))
    const findings: Judged[] = []
    for (const detector of detectors) {
      const attempt = async (part: readonly Event[]) => {
        const writes: CacheWrite[] = []
        const limits: LimitHit[] = []
        const onCacheWrites: DetectBatch['onCacheWrites'] = (some, hits) => {
          writes.push(...some)
          limits.push(...hits)
        }
        const found = await detectEvents(logType, part, [detector], { onCacheWrites, tables })
        cache.add(writes, limits)
        findings.push(...found.map((finding) => judgedOf(finding, part)))
      }
      const { atFault } = await isolate(events, attempt, ATTEMPTS)
      findings.push(...unjudged(atFault, logType, detector, judgedOf))
    }
    judged.push(...findings.sort((a, b) => order.get(a.event!)! - order.get(b.event!)!))
  }
  return { judged, ...cache.kept }
}

/** One error for each rule that did not see the events, about the first of them. */
function unjudged(
  atFault: readonly { readonly item: Event; readonly error: unknown }[],
  logType: string,
  detector: Detector,
  judgedOf: JudgedOf,
): Judged[] {
  const [first] = atFault
  if (!first) return []
  const message = `${atFault.length} events of ${logType} were not judged, the first of them ${first.item.p_row_id}: ${messageOf(first.error)}`
  return detector
    .ruleIds(logType)
    .map((ruleId) => judgedOf({ kind: 'error', ruleId, event: 0, cause: 'crash', message }, [first.item]))
}

/** The last change of each key of the rules' cache, and how often rules reached its limits. */
class LastWrites {
  readonly #byKey = new Map<string, CacheWrite>()
  readonly #limits: LimitHit[] = []
  readonly add = (writes: readonly CacheWrite[], limits: readonly LimitHit[]): void => {
    this.#limits.push(...limits)
    for (const write of writes) this.#byKey.set(write.key, write)
  }

  get kept(): Pick<Findings, 'cacheWrites' | 'cacheLimits'> {
    return { cacheWrites: [...this.#byKey.values()], cacheLimits: this.#limits }
  }
}

/** Combines a finding with the event it is about. */
type JudgedOf = (finding: Finding, events: readonly Event[]) => Judged

/** An event's text is built once, however many findings are about it. */
function judging(): JudgedOf {
  const texts = new Map<Event, string>()
  const textOf = (event: Event) => {
    const known = texts.get(event)
    if (known !== undefined) return known
    const text = stringifyJson(event)
    texts.set(event, text)
    return text
  }
  return (finding, events) => {
    const event = finding.event >= 0 ? events[finding.event] : undefined
    return { finding, event, text: () => (event ? (textWithRows(event, finding) ?? textOf(event)) : '') }
  }
}
