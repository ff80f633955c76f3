import { relative } from 'node:path'
import { compile } from '../../model/condition/compile.ts'
import type { ExplainedAlert, ExplainedCheck, Explanation, RuleTrace, Verdict } from '../../model/explanation.ts'
import type { JsonObject } from '../../model/json.ts'
import type { TableRows } from '../../model/lookup.ts'
import type { Match } from '../../model/match.ts'
import type { Rule } from '../../model/rule.ts'
import { jsonValue } from '../../packs/json-text.ts'
import { partsOf, traceCondition } from '../../stages/detect/explain/condition.ts'
import { languages } from '../../stages/detect/index.ts'
import type { Detector, Language } from '../../stages/detect/language.ts'
import { queryLogType } from '../../stages/detect/language.ts'
import { fromRoots } from '../../util/host-paths.ts'
import { versionOf } from '../content-parts.ts'
import type { LoadedContent } from '../path.ts'
import { SourceLines } from './source-lines.ts'

/** Time limit of a function of the rule: following it makes it slower than it is. */
const TIMEOUT_MS = 15_000

/** An event that a rule is asked about. */
export interface Subject {
  readonly logType: string
  readonly rowId: string | undefined
  /** Exact JSON text, with the rows of tables that were joined. */
  readonly text: string
  readonly tables: TableRows | undefined
}

export interface ExplainRuleDeps {
  readonly loaded: Pick<LoadedContent, 'content' | 'roots'>
  /** The folder `python` of a cache folder. */
  readonly compiledFolder: string
  /** The pack because of which the rule is off, if it is. */
  readonly packOff?: string | undefined
}

const NO_TRACE: RuleTrace = { steps: [], decided: [], reads: [] }

/** Explains a rule's result on an event, in a sandbox of its own that has no other rules. Rejects if that cannot be started. */
export async function explainRule(rule: Rule, subject: Subject, deps: ExplainRuleDeps): Promise<Explanation> {
  const { content } = deps.loaded
  // As it would judge this event, whatever keeps it from doing so.
  const { inlineFilter, ...open } = rule
  const judging: Rule = { ...open, enabled: true, logTypes: [subject.logType] }
  const language = (languages as readonly Language[]).find(({ type }) => type === rule.source.language)!
  const given = { helpers: content.helpers, dataModels: content.dataModels, rules: [judging] }
  const options = { timeoutMs: TIMEOUT_MS, all: true, traces: true, compiledFolder: deps.compiledFolder }
  const detector = await language.create(given, options)
  try {
    const traced = await detector.test(rule.id, testOf(subject))
    const found = await evaluate(detector, rule.id, subject)
    const checks = await checksOf(rule, subject, deps, language)
    return explanationOf(rule, subject, { traced, found, checks, deps })
  } finally {
    await detector.close()
  }
}

function testOf({ text, tables }: Subject) {
  return {
    name: 'explain',
    expectedResult: true,
    log: text,
    mocks: [],
    isLive: true,
    trace: true,
    ...(tables && { rows: tables }),
  }
}

/** What the rule would contribute to an alert, by the same code as always. */
async function evaluate(detector: Detector, ruleId: string, { logType, text, tables }: Subject): Promise<Match | undefined> {
  const ndjson = new TextEncoder().encode(`${text}\n`)
  const findings = await detector.evaluate({ logType, ndjson, count: 1, tables })
  return findings.find((finding): finding is Match => finding.kind === 'match' && finding.ruleId === ruleId)
}

async function checksOf(rule: Rule, subject: Subject, deps: ExplainRuleDeps, language: Language): Promise<ExplainedCheck[]> {
  const event = jsonValue(subject.text) as JsonObject
  const checks = [enabledCheck(rule, deps), logTypeCheck(rule, subject)]
  if (rule.inlineFilter) {
    const passed = compile(rule.inlineFilter)(event)
    const { decided } = traceCondition(partsOf(rule.inlineFilter), event, rule.file)
    const detail = passed ? 'its filters let the event pass' : 'a filter of the rule keeps the event from it'
    checks.push({ what: 'filter', passed, detail, decided })
  }
  const { content } = deps.loaded
  const necessary = await language.necessary?.({ ...content, rules: [rule] }, rule.id, deps.compiledFolder)
  if (necessary && necessary.op !== 'always') {
    const passed = compile(necessary)(event)
    const { decided } = traceCondition(partsOf(necessary), event, rule.source.file)
    const detail = passed
      ? 'the event has what a match needs, so the rule is run on it'
      : 'the event lacks what a match needs, so the rule is not even run on it'
    checks.push({ what: 'prefilter', passed, detail, decided })
  }
  return checks
}

function enabledCheck({ enabled }: Rule, { packOff }: ExplainRuleDeps): ExplainedCheck {
  const why = packOff === undefined ? 'Enabled is false' : `its pack ${packOff} is off: \`caracal packs enable ${packOff}\``
  return { what: 'enabled', passed: enabled, detail: enabled ? 'the rule is on' : `the rule is off: ${why}`, decided: [] }
}

function logTypeCheck({ logTypes, policy, scheduledQueries }: Rule, { logType }: Subject): ExplainedCheck {
  const judged = [...logTypes, ...(policy?.resourceTypes ?? []), ...(scheduledQueries ?? []).map(queryLogType)]
  const passed = judged.includes(logType)
  const names = judged.map((name) => name.replace(/^query\//, 'rows of the query ')).join(', ') || 'none'
  const detail = passed
    ? `it judges ${logType}`
    : `the event is of log type ${logType || 'unknown'}, and the rule judges ${names}`
  return { what: 'log type', passed, detail, decided: [] }
}

interface Found {
  readonly traced: Awaited<ReturnType<Detector['test']>>
  readonly found: Match | undefined
  readonly checks: readonly ExplainedCheck[]
  readonly deps: ExplainRuleDeps
}

function explanationOf(rule: Rule, subject: Subject, { traced, found, checks, deps }: Found): Explanation {
  const { roots } = deps.loaded
  const short = fromRoots(roots)
  const error = traced.errors['detection']
  const place = traced.where?.['detection']
  const alerting = rule.kind === 'policy' ? 'false' : 'true'
  const code = error !== undefined ? 'error' : traced.out['detection'] === alerting ? 'match' : 'no_match'
  const trace = shortened(new SourceLines(rule, deps.loaded.content).placed(traced.trace ?? NO_TRACE), short)
  const kept = checks.find(({ passed, what }) => !passed && what !== 'prefilter')
  const verdict: Verdict = kept ? 'not_judged' : code
  const isSame = error !== undefined || (found !== undefined) === (code === 'match')
  return {
    ruleId: rule.id,
    kind: rule.kind ?? 'rule',
    file: shortFile(rule.source.file, roots),
    definition: shortFile(rule.file, roots),
    version: versionOf(rule),
    logType: subject.logType,
    rowId: subject.rowId,
    verdict,
    summary: short(kept?.detail ?? summaryOf(code, trace, error, place)),
    checks: checks.map((check) => ({ ...check, decided: shortened({ ...NO_TRACE, decided: check.decided }, short).decided })),
    result: code,
    trace,
    error: error === undefined ? undefined : short(place === undefined ? error : `${place}: ${error}`),
    alert: found && alertOf(rule, found),
    members: [],
    notes: isSame
      ? []
      : ['the rule gave two results for the same event: it depends on the time, on chance, or on what it remembers'],
    event: subject.text,
  }
}

function summaryOf(code: Explanation['result'], trace: RuleTrace, error: string | undefined, place: string | undefined): string {
  if (code === 'error') return place === undefined ? `the rule fails: ${error}` : `the rule fails at ${place}: ${error}`
  const [step] = trace.decided
  const verb = code === 'match' ? 'it matches' : 'it does not match'
  if (!step) return verb
  const values = step.values.slice(0, 3).map(([part, value]) => `${part === step.text ? 'which is' : `${part} =`} ${value}`)
  const isRaised = step.outcome.startsWith('raised ')
  const result = step.kind === 'loop' ? 'ended without a result' : isRaised ? step.outcome : `is ${step.outcome}`
  return `${verb}: ${step.text} ${result}${values.length > 0 ? `, with ${values.join(', ')}`.replace('with which is', 'which is') : ''}`
}

function alertOf(rule: Rule, match: Match): ExplainedAlert {
  const { title, dedup, severity, functionErrors } = match
  const { createAlert, threshold, dedupPeriodMinutes } = rule
  return { title, dedup, severity, functionErrors, createAlert, threshold, dedupPeriodMinutes }
}

function shortened({ steps, decided, reads }: RuleTrace, short: (text: string) => string): RuleTrace {
  const shorten = <T extends { readonly file: string }>(list: readonly T[]) =>
    list.map((one) => ({ ...one, file: short(one.file) }))
  return { steps: shorten(steps), decided: shorten(decided), reads: shorten(reads) }
}

function shortFile(file: string, roots: readonly string[]): string {
  const root = roots.find((folder) => file.startsWith(`${folder}/`))
  return root === undefined ? file : relative(root, file)
}
