import type { JsonObject } from '../../../model/json.ts'
import type { Finding, RuleError } from '../../../model/match.ts'
import { parseJson } from '../../../util/json.ts'
import type { DetectBatch, Detector, DetectorTest, TestRun } from '../language.ts'
import { fromNdjson, MAX_DEPTH } from '../ndjson.ts'
import { explainSimple } from './explain.ts'
import { toMatch } from './match.ts'
import type { LoadedRule, LogTypeRules, RuleSet } from './rules.ts'
import { Spent } from './spent.ts'

/** Judges batches in this thread, evaluating only the rules that the index finds. */
export class SimpleDetector implements Detector {
  readonly logTypes: ReadonlySet<string>
  readonly setupErrors: readonly RuleError[]
  readonly #rules: RuleSet
  readonly #spent = new Spent()

  constructor(rules: RuleSet) {
    this.#rules = rules
    this.setupErrors = rules.errors
    this.logTypes = new Set(rules.byLogType.keys())
  }

  ruleIds(logType: string): readonly string[] {
    return (this.#rules.byLogType.get(logType)?.rules ?? []).map(({ rule }) => rule.id)
  }

  async evaluate(batch: DetectBatch): Promise<readonly Finding[]> {
    const { logType, count } = batch
    const group = this.#rules.byLogType.get(logType)
    if (!group || count === 0) return []
    const events = batch.events ?? fromNdjson(batch.ndjson, logType)
    const started = performance.now()
    const asked = new Map<LoadedRule, number>()
    const findings = judge(events, group, asked)
    this.#spent.add(group, asked, performance.now() - started, events.length)
    return findings
  }

  async test(ruleId: string, { log, mocks, trace = false }: DetectorTest): Promise<TestRun> {
    const started = performance.now()
    const run = this.#run(ruleId, log, mocks.length > 0, trace)
    return { ...run, printed: '', ms: performance.now() - started }
  }

  timings(): readonly { readonly ruleId: string; readonly seconds: number; readonly events: number }[] {
    return this.#spent.take()
  }

  /** Nothing to stop: everything runs within the calls. */
  async close(): Promise<void> {}

  #run(ruleId: string, log: string, hasMocks: boolean, isTraced: boolean): Pick<TestRun, 'out' | 'errors' | 'trace'> {
    const broken = this.setupErrors.find((error) => error.ruleId === ruleId)
    if (broken) return failed(broken.message)
    const loaded = this.#rules.byId.get(ruleId)
    if (!loaded) return failed(`there is no simple detection '${ruleId}'`)
    if (hasMocks) return failed('a simple detection has no functions that could be replaced: remove Mocks from the test')
    const event = parseJson(log, { maxDepth: MAX_DEPTH })
    if (event.kind === 'failure') return failed(`the test's Log cannot be read: ${event.message}`)
    const object = event.value as JsonObject
    return {
      out: outputs(loaded, object),
      errors: {},
      ...(isTraced && { trace: explainSimple(loaded.rule, object) }),
    }
  }
}

function failed(message: string): Pick<TestRun, 'out' | 'errors'> {
  return { out: {}, errors: { detection: message } }
}

function judge(events: readonly JsonObject[], { rules, index }: LogTypeRules, asked: Map<LoadedRule, number>): Finding[] {
  const findings: Finding[] = []
  for (const [at, event] of events.entries()) {
    for (const candidate of index.candidates(event)) {
      const loaded = rules[candidate]!
      asked.set(loaded, (asked.get(loaded) ?? 0) + 1)
      if (loaded.functions.rule(event)) findings.push(toMatch(loaded.rule, loaded.functions, event, at))
    }
  }
  return findings
}

/** The result of each of the rule's functions for a test's event, whether the rule matches or not. */
function outputs({ rule, functions }: LoadedRule, event: JsonObject): Record<string, string> {
  const { title, dedup, severity, context } = functions
  return {
    detection: String(functions.rule(event)),
    ...(title && { title: JSON.stringify(title(event)) }),
    ...(severity && { severity: JSON.stringify(severity(event) ?? rule.severity) }),
    ...(dedup && { dedup: JSON.stringify(dedup(event)) }),
    ...(context && { alert_context: context(event) }),
  }
}
