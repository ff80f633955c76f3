import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { CROWD_DEDUP, type StoredAlert } from '../../model/alert.ts'
import { type Evidence, MAX_EVENT_CHARS } from '../../model/evidence.ts'
import type { Rule } from '../../model/rule.ts'
import { topValues } from '../../model/summary.ts'
import type { Content } from '../../packs/content.ts'
import { languages } from '../../stages/detect/index.ts'
import type { Language } from '../../stages/detect/language.ts'
import { Refused } from '../../util/errors.ts'
import { version } from '../../util/version.ts'
import { isPartName, MAX_BUNDLE_BYTES, packBundle } from './bundle.ts'
import { filesOfRule, findRule } from './chosen-files.ts'
import { type TreeContent, withContentTree } from './content-tree.ts'
import { FORMAT, type Manifest, type MatchResult, partOf, VERSION } from './manifest.ts'

/** What a bundle is made of. Plain data, since another thread makes it. */
export interface BundleAsk {
  readonly alert: StoredAlert
  /** Not empty. */
  readonly evidence: readonly Evidence[]
  /** The content that decided: `1/path`, by the number of the content root, to its text. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** The names of the content roots, in order. */
  readonly roots: readonly string[]
}

/** The bundle of an alert. Rejects with `Refused` if that content has no such rule, or if it would be too large. */
export async function makeBundle(ask: BundleAsk): Promise<Uint8Array> {
  return withContentTree(ask.files, async (tree) => {
    const { alert } = ask
    const [first] = ask.evidence as [Evidence]
    const rule = findRule(tree.content, alert.ruleId)
    if (!rule)
      throw new Refused(`the files of the content that decided, ${first.generation}, have no usable rule '${alert.ruleId}'`)
    // Another version of the rule may have decided about later matches.
    const matches = ask.evidence.filter(({ ruleVersion }) => ruleVersion === first.ruleVersion)
    const parts = new Map<string, Uint8Array>()
    const add = (name: string, text: string | Uint8Array) => parts.set(name, Buffer.from(text))
    add('manifest.json', lines(manifestOf(ask, rule, matches, tree.content)))
    add('alert.json', lines(alertFields(alert)))
    for (const [at, match] of matches.entries()) addMatch(at + 1, match, add)
    const logTypes = new Set(matches.map(({ logType }) => logType))
    for (const file of filesOfRule(rule, tree.content, logTypes)) add(nameOf(file, tree), await readFile(file))
    const bytes = packBundle(parts)
    if (bytes.length > MAX_BUNDLE_BYTES)
      throw new Refused(`the bundle of alert ${alert.alertId} would be larger than ${MAX_BUNDLE_BYTES} bytes`)
    return bytes
  })
}

/** `content/1/rules/a.yml`. */
function nameOf(file: string, { roots }: TreeContent): string {
  const root = roots.find((folder) => file.startsWith(`${folder}/`))!
  const name = `content/${root.slice(root.lastIndexOf('/') + 1)}/${relative(root, file)}`
  if (!isPartName(name))
    throw new Refused(`the content file ${JSON.stringify(name)} has a name that not every system can have: rename it`)
  return name
}

function addMatch(number: number, match: Evidence, add: (name: string, text: string) => void): void {
  const { event, raw, looked } = match
  if (event !== null) add(partOf(number, 'event.json'), event)
  if (raw !== null) add(partOf(number, 'raw.log'), raw)
  if (looked !== '[]') add(partOf(number, 'looked.json'), looked)
  const result: MatchResult = {
    row_id: match.rowId,
    log_type: match.logType,
    title: match.title,
    dedup: match.dedup,
    severity: match.severity,
    description: match.description,
    reference: match.reference,
    runbook: match.runbook,
    destinations: match.destinations && [...match.destinations],
    alert_context: match.context,
    ...(match.unique !== undefined && { unique: match.unique }),
    function_errors: { ...match.functionErrors },
  }
  add(partOf(number, 'result.json'), lines(result))
}

function manifestOf({ alert, evidence, roots }: BundleAsk, rule: Rule, matches: readonly Evidence[], content: Content): Manifest {
  const [first] = matches as [Evidence]
  return {
    format: FORMAT,
    version: VERSION,
    caracal: version(),
    alert_id: alert.alertId,
    rule_id: alert.ruleId,
    rule_version: first.ruleVersion,
    generation: first.generation,
    dedup: alert.body.dedup,
    window_number: alert.number,
    threshold: alert.body.threshold,
    retroactive: alert.retroactive === true,
    is_crowd: alert.body.dedup === CROWD_DEDUP,
    event_count: alert.eventCount,
    matches: matches.length,
    roots: [...roots],
    notes: notesOf(alert, evidence, matches, remembers(rule, content)),
  }
}

function notesOf(
  alert: StoredAlert,
  evidence: readonly Evidence[],
  matches: readonly Evidence[],
  isRemembering: boolean,
): string[] {
  const notes: string[] = []
  const others = evidence.length - matches.length
  if (alert.eventCount > evidence.length)
    notes.push(`The alert has ${alert.eventCount} matches, of which the first ${evidence.length} are kept.`)
  if (others > 0) notes.push(`${others} further matches were decided by another version of the rule and are left out.`)
  for (const [at, { event, isRawCut }] of matches.entries()) {
    if (event === null) notes.push(`The event of match ${at + 1} is longer than ${MAX_EVENT_CHARS} characters and was not kept.`)
    if (isRawCut) notes.push(`Of the record of match ${at + 1} only the first 64 KiB were kept.`)
  }
  if (isRemembering) notes.push('The rule may use the rule cache, whose contents are not in the bundle.')
  return notes
}

/** Whether what the rule decides may depend on earlier events. */
export function remembers(rule: Rule, { helpers, dataModels = [] }: Pick<Content, 'helpers' | 'dataModels'>): boolean {
  const language = (languages as readonly Language[]).find(({ type }) => type === rule.source.language)
  return language?.remembers?.({ rules: [rule], helpers, dataModels })(rule.id) ?? false
}

/** What the alert says; not what people have done with it since, and where it was sent. */
function alertFields({
  alertId,
  ruleId,
  ruleVersion,
  severity,
  eventCount,
  createdMs,
  startMs,
  endMs,
  body,
}: StoredAlert): object {
  return {
    alert_id: alertId,
    rule_id: ruleId,
    rule_name: body.displayName,
    rule_version: ruleVersion,
    type: body.type,
    title: body.title,
    severity,
    dedup: body.dedup,
    event_count: eventCount,
    threshold: body.threshold,
    created_time: iso(createdMs),
    window_start_time: iso(startMs),
    window_end_time: iso(endMs),
    first_event_time: body.firstEventTime,
    last_event_time: body.lastEventTime,
    log_types: body.logTypes,
    source_labels: body.sourceLabels,
    description: body.description,
    reference: body.reference,
    runbook: body.runbook,
    tags: body.tags,
    reports: body.reports,
    indicators: body.indicators,
    summaries: topValues(body.summaries),
    learned: body.learned ?? null,
    function_errors: body.functionErrors,
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

function lines(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
