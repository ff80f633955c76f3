import type { JsonObject } from '../../model/json.ts'
import type { Match } from '../../model/match.ts'
import type { Rule } from '../../model/rule.ts'
import { groupFindings, type Judged } from '../../stages/alert/step.ts'
import { languages } from '../../stages/detect/index.ts'
import type { Detector, Language } from '../../stages/detect/language.ts'
import { MAX_DEPTH } from '../../stages/detect/ndjson.ts'
import { ConfigError } from '../../util/errors.ts'
import { parseJson, stringifyJson } from '../../util/json.ts'
import { version } from '../../util/version.ts'
import { versionOf } from '../content-parts.ts'
import { ShortPaths } from '../short-paths.ts'
import { openBundle, type Parts } from './bundle.ts'
import { findRule } from './chosen-files.ts'
import { type TreeContent, withContentTree } from './content-tree.ts'
import { remembers } from './make.ts'
import { type BundledMatch, type Manifest, partOf, readDecision } from './manifest.ts'
import { tablesOf } from './rows-read.ts'

/** Time limit of a function of the rule. */
const TIMEOUT_MS = 15_000

/** The outcome of deciding again. */
export interface Reproduced {
  readonly alertId: string
  readonly ruleId: string
  /** Matches that were decided again. */
  readonly matches: number
  /** Sentences about parts that are not as they were written. */
  readonly changed: readonly string[]
  /** Sentences about what is not as it was decided. */
  readonly differences: readonly string[]
  /** Sentences about what could not be compared, and why. Does not count as a difference. */
  readonly notes: readonly string[]
}

/** The content of a bundle as names of files below a folder. */
const CONTENT = /^content\/([1-9]\d?\/.+)$/

/**
 * Decides again what a bundle says was decided, with nothing but the bundle: no network, no lake, no content of this machine. Rejects with
 * `ConfigError` if the file is not a bundle that this version can read.
 */
export async function reproduce(bytes: Uint8Array, file: string): Promise<Reproduced> {
  const { parts, changed } = await openBundle(bytes, file)
  const { manifest, matches } = readDecision(parts, file)
  return withContentTree(contentOf(parts), async (tree) => {
    const rule = findRule(tree.content, manifest.rule_id)
    if (!rule) {
      const [problem] = tree.content.problems
      throw new ConfigError(`its content has no usable rule '${manifest.rule_id}'${problem ? `: ${problem.message}` : ''}`, {
        file,
      })
    }
    const found = await decideAgain(rule, matches, tree, file)
    const differences = [...versionDifference(manifest, rule), ...found.differences, ...grouping(manifest, rule, found.matches)]
    const notes = [...manifest.notes]
    if (differences.length > 0 && remembers(rule, tree.content))
      notes.push('It was decided again with an empty rule cache, which may be why it differs.')
    if (differences.length > 0 && manifest.caracal !== version())
      notes.push(`Caracal ${manifest.caracal} wrote the bundle, and this is ${version()}.`)
    const { alert_id: alertId, rule_id: ruleId } = manifest
    return { alertId, ruleId, matches: found.matches.length, changed, differences, notes }
  })
}

function contentOf(parts: Parts): Map<string, Uint8Array> {
  return new Map([...parts].flatMap(([name, text]) => (CONTENT.test(name) ? [[CONTENT.exec(name)![1]!, text] as const] : [])))
}

/** A policy for every type of resource depends on what other policies name, which the bundle does not have. */
function versionDifference({ rule_version: then, caracal }: Manifest, rule: Rule): string[] {
  const isOpen = rule.policy?.resourceTypes.length === 0
  const now = versionOf(rule)
  if (then === null || then === now || isOpen || caracal !== version()) return []
  return [`the version of the rule: ${then} then, ${now} in the bundle`]
}

interface DecidedAgain {
  readonly matches: readonly Match[]
  readonly differences: readonly string[]
}

async function decideAgain(
  rule: Rule,
  matches: readonly BundledMatch[],
  { content, roots }: TreeContent,
  file: string,
): Promise<DecidedAgain> {
  const language = (languages as readonly Language[]).find(({ type }) => type === rule.source.language)!
  const { helpers, dataModels } = content
  const logTypes = [...new Set(matches.map(({ result }) => result.log_type))]
  // Rules of queries and policies name their log types in other ways.
  const judging: Rule = { ...rule, enabled: true, logTypes }
  const options = { timeoutMs: TIMEOUT_MS, all: true }
  const detector = new ShortPaths(await language.create({ rules: [judging], helpers, dataModels }, options), roots)
  try {
    const [broken] = detector.setupErrors
    if (broken) return { matches: [], differences: [`the rule cannot be loaded: ${broken.message}`] }
    const found: Match[] = []
    const differences: string[] = []
    for (const match of matches) {
      const again = await judge(detector, match, file)
      if (typeof again === 'string') differences.push(`match ${match.number} (${match.result.row_id}): ${again}`)
      else {
        found.push(again)
        differences.push(...compare(match, again))
      }
    }
    return { matches: found, differences }
  } finally {
    await detector.close()
  }
}

/** The match of the event, or why the rule does not match it now. */
async function judge(detector: Detector, { number, event, looked, result }: BundledMatch, file: string): Promise<Match | string> {
  if (event === undefined) return 'its event was too long to be kept, so it cannot be decided again'
  const json = parseJson(event, { maxDepth: MAX_DEPTH })
  if (json.kind !== 'ok') return `its event cannot be read: ${json.message}`
  const { p_log_type: logType } = json.value as JsonObject
  if (logType !== result.log_type) return `its event is not of log type ${result.log_type}`
  const tables = tablesOf(looked, partOf(number, 'looked.json'), file)
  const ndjson = new TextEncoder().encode(`${stringifyJson(json.value)}\n`)
  const [found] = await detector.evaluate({ logType, ndjson, count: 1, tables })
  if (!found) return 'the rule does not match'
  return found.kind === 'error' ? `the rule fails: ${found.message}` : found
}

function compare({ number, result }: BundledMatch, again: Match): string[] {
  const { row_id: rowId, log_type: _, ...then } = result
  const now: typeof then = {
    title: again.title,
    dedup: again.dedup,
    severity: again.severity,
    description: again.description,
    reference: again.reference,
    runbook: again.runbook,
    destinations: again.destinations ? [...again.destinations] : null,
    alert_context: again.alertContext ?? null,
    ...(again.unique !== undefined && { unique: again.unique }),
    function_errors: { ...again.functionErrors },
  }
  const names = new Set([...Object.keys(then), ...Object.keys(now)]) as Set<keyof typeof then>
  return [...names].flatMap((name) => {
    const [a, b] = [then[name], now[name]].map((value) => JSON.stringify(value) ?? 'nothing')
    return a === b ? [] : [`match ${number} (${rowId}): ${name}: ${a} then, ${b} now`]
  })
}

/** Groups the matches by the same code as always: they must raise the same alert. */
function grouping(manifest: Manifest, rule: Rule, matches: readonly Match[]): string[] {
  if (matches.length === 0) return []
  const { alert_id: then, window_number: nextNumber, rule_version, retroactive, is_crowd } = manifest
  const judged = matches.map((finding): Judged => ({ finding, event: undefined, text: () => '' }))
  const rules = new Map([[rule.id, { ...rule, version: rule_version ?? versionOf(rule) }]])
  const clock = { atMs: () => 0, nowMs: 0, ...(retroactive && { retroactive: true as const }) }
  const { groups, decide } = groupFindings(judged, rules, clock, is_crowd ? 0 : undefined)
  const { windows } = decide({
    groups: new Map(groups.map(({ groupKey }) => [groupKey, { windows: [], nextNumber }])),
    crowds: new Map(),
  })
  const differences = windows.flatMap(({ alertId }) => (alertId === then ? [] : [`the alert's id: ${then} then, ${alertId} now`]))
  const isWhole = manifest.event_count <= matches.length
  if (isWhole && windows.every(({ opened }) => !opened))
    differences.push(`the matches do not reach the threshold of ${rule.threshold}, so they would raise no alert`)
  return differences
}
