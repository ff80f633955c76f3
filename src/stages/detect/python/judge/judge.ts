import type { TableRows } from '../../../../model/lookup.ts'
import type { Finding } from '../../../../model/match.ts'
import type { Rule } from '../../../../model/rule.ts'
import { type EvaluateAnswer, markedCall } from '../sandbox/protocol.ts'
import { MalformedAnswer, SandboxDied } from '../sandbox/sandbox.ts'
import { ruleError, toFinding } from './findings.ts'
import { type PenaltyBox, STRIKES } from './penalty-box.ts'
import type { Runtime } from './runtime.ts'
import { type Crossing, sliceCrossing } from './split.ts'

/** After this many consecutive deaths of rules judged one by one, the rules are not the cause. */
const MAX_IN_ROW = 3

interface Deps {
  readonly runtime: Runtime
  readonly penalties: PenaltyBox
  /** What `lookup` reads. Absent: no table. */
  readonly tables?: TableRows | undefined
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  readonly spent: (ruleId: string, seconds: number, events: number) => void
}

/** Pairs of (index in the log type's rules, event) that ended a child, with the reason. */
interface AtFault {
  readonly rule: number
  readonly event: number
  readonly finding: Finding
}

/**
 * Judges one crossing. If the child dies, the crossing is judged again in a new one: without the call that was
 * under way if it is known, otherwise with each call announced. So only the call at fault gets an error.
 */
export async function judgeCrossing(logType: string, crossing: Crossing, rules: readonly Rule[], deps: Deps): Promise<Finding[]> {
  const atFault: AtFault[] = []
  let careful = false
  let watch = false
  // Which rules are loaded is known once the first child has started.
  await deps.runtime.ready()
  for (;;) {
    const out = penalised(rules, crossing, atFault, deps)
    const running = rules.map((_, i) => i).filter((i) => !out.rules.has(i) && crossing.byRule?.[i]?.length !== 0)
    if (running.length === 0) return inOrder(out.findings, [], rules, crossing)
    const skip = atFault.filter((g) => !out.rules.has(g.rule)).map((g) => [running.indexOf(g.rule), g.event] as const)
    try {
      const answer = await deps.runtime.evaluate(
        { logType, rules: running, skip, careful, watch, ...onlyOf(crossing, running) },
        crossing,
        deps.tables,
      )
      if ('changed' in answer) {
        // The answers of the other rules may be wrong: everything is judged again, in a new child.
        const [index, what] = answer.changed
        if (index !== null) strikeForTampering(rules[running[index]!]!, what, deps)
        // Each rule was checked, and the culprit is still unknown.
        else if (watch) return ruleByRule(logType, crossing, rules, deps)
        else watch = true
        continue
      }
      account(answer, running, rules, crossing, atFault, deps)
      const findings = [...out.findings, ...atFault.filter((g) => !out.rules.has(g.rule)).map((g) => g.finding)]
      return inOrder(
        findings,
        answer.rows.map((row) => [row, running[row[1]]!] as const),
        rules,
        crossing,
        deps.tables,
      )
    } catch (error) {
      if (!(error instanceof SandboxDied)) throw error
      await deps.runtime.ready()
      const call = error.mark === undefined ? undefined : markedCall(error.mark, running.length)
      if (call && call.event < crossing.count) {
        atFault.push(faultOf(error, call.event, running[call.rule]!, rules, crossing, deps))
      } else if (error.isReading) {
        return halve(logType, crossing, rules, error, deps)
      } else if (careful || error.mark === 0) {
        return ruleByRule(logType, crossing, rules, deps, error)
      } else careful = true
    }
  }
}

/** The events that each running rule sees. */
function onlyOf({ byRule }: Crossing, running: readonly number[]): { only?: readonly (readonly number[])[] } {
  return byRule ? { only: running.map((i) => byRule[i]!) } : {}
}

/** Rules that are not running, and their errors for each event. */
function penalised(rules: readonly Rule[], crossing: Crossing, atFault: readonly AtFault[], { runtime, penalties, now }: Deps) {
  const out = new Set<number>()
  const findings: Finding[] = []
  for (const [i, rule] of rules.entries()) {
    if (runtime.isUnloadable(rule.id)) {
      out.add(i)
      continue
    }
    const penalty = runtime.lostRule(rule.id) ?? penalties.penalty(rule.id, now())
    if (!penalty) continue
    out.add(i)
    for (const event of crossing.byRule?.[i] ?? Array(crossing.count).keys()) {
      const own = atFault.find((g) => g.rule === i && g.event === event)
      findings.push(
        own?.finding ?? ruleError(rule.id, crossing.first + event, penalty.cause, `${rule.source.file}: ${penalty.message}`),
      )
    }
  }
  return { rules: out, findings }
}

function faultOf(
  died: SandboxDied,
  event: number,
  index: number,
  rules: readonly Rule[],
  crossing: Crossing,
  deps: Deps,
): AtFault {
  const rule = rules[index]!
  const what = whatOf(died)
  const message = `${rule.source.file}: ${what}: ${died.message}`
  // Each time-out has cost a full limit: the second one is the last.
  deps.penalties.strike(rule.id, died.how, what, deps.now(), died.how === 'timeout' ? STRIKES - 1 : 1)
  return { rule: index, event, finding: ruleError(rule.id, crossing.first + event, died.how, message) }
}

function whatOf(died: SandboxDied): string {
  if (died instanceof MalformedAnswer) return 'judged by itself'
  return died.how === 'timeout' ? 'it could not be interrupted' : 'it ended the sandbox'
}

/** A rule that changes shared state is left out at once: each further attempt would cost a child. */
function strikeForTampering(rule: Rule, what: string, { penalties, now }: Deps): void {
  penalties.strike(rule.id, 'tampering', `it changed ${what}, which all rules share`, now(), STRIKES)
}

/**
 * The rule at fault is unknown: each is judged by itself, and one that ends its child or changes shared state is left out. If several
 * in a row die, the rules are not the cause: then the events are halved.
 */
async function ruleByRule(
  logType: string,
  crossing: Crossing,
  rules: readonly Rule[],
  deps: Deps,
  died?: SandboxDied,
): Promise<Finding[]> {
  const out = penalised(rules, crossing, [], deps)
  const findings = [...out.findings]
  let inRow = 0
  for (const [index, rule] of rules.entries()) {
    if (out.rules.has(index) || crossing.byRule?.[index]?.length === 0) continue
    try {
      const answer = await deps.runtime.evaluate(
        { logType, rules: [index], skip: [], careful: false, watch: true, ...onlyOf(crossing, [index]) },
        crossing,
        deps.tables,
      )
      if (!('changed' in answer)) {
        inRow = 0
        account(answer, [index], rules, crossing, [], deps)
        for (const row of answer.rows) findings.push(toFinding(row, rule, crossing.first + row[0], deps.tables))
        continue
      }
      strikeForTampering(rule, answer.changed[1], deps)
    } catch (error) {
      if (!(error instanceof SandboxDied)) throw error
      await deps.runtime.ready()
      if (++inRow === MAX_IN_ROW) return halve(logType, crossing, rules, died ?? error, deps)
      deps.penalties.strike(rule.id, error.how, `${whatOf(error)}: ${error.message}`, deps.now(), STRIKES)
    }
    findings.push(...penalised([rule], oneRule(crossing, index), [], deps).findings)
  }
  return inOrder(findings, [], rules, crossing)
}

function oneRule(crossing: Crossing, index: number): Crossing {
  return crossing.byRule ? { ...crossing, byRule: [crossing.byRule[index]!] } : crossing
}

/** The child died while reading the events: they are halved, down to a single event. */
async function halve(
  logType: string,
  crossing: Crossing,
  rules: readonly Rule[],
  died: SandboxDied,
  deps: Deps,
): Promise<Finding[]> {
  if (crossing.count === 1) {
    const seeing = rules.filter((_, i) => crossing.byRule?.[i]?.length !== 0)
    return seeing.map((rule) =>
      ruleError(
        rule.id,
        crossing.first,
        died.how,
        `${rule.source.file}: ${died instanceof MalformedAnswer ? 'on the event' : 'the event ended the sandbox'}: ${died.message}`,
      ),
    )
  }
  const middle = crossing.count >> 1
  const left = await judgeCrossing(logType, sliceCrossing(crossing, 0, middle), rules, deps)
  const right = await judgeCrossing(logType, sliceCrossing(crossing, middle, crossing.count), rules, deps)
  return [...left, ...right]
}

function account(
  answer: EvaluateAnswer,
  running: readonly number[],
  rules: readonly Rule[],
  crossing: Crossing,
  atFault: readonly AtFault[],
  deps: Deps,
): void {
  const timeouts = new Map<number, number>()
  for (const row of answer.rows) {
    if (row[2] === 'timeout') timeouts.set(running[row[1]]!, (timeouts.get(running[row[1]]!) ?? 0) + 1)
  }
  for (const [at, index] of running.entries()) {
    const rule = rules[index]!
    deps.spent(rule.id, answer.seconds[at] ?? 0, crossing.byRule?.[index]?.length ?? crossing.count)
    const slow = timeouts.get(index)
    if (slow) deps.penalties.strike(rule.id, 'timeout', `rule() took too long on ${slow} events`, deps.now(), slow)
    else if (!atFault.some((g) => g.rule === index)) deps.penalties.clear(rule.id)
  }
}

/** By event, then by rule order. */
function inOrder(
  findings: readonly Finding[],
  rows: readonly (readonly [EvaluateAnswer['rows'][number], number])[],
  rules: readonly Rule[],
  crossing: Crossing,
  tables?: TableRows,
): Finding[] {
  const place = new Map(rules.map((rule, i) => [rule.id, i]))
  const all = [...findings]
  for (const [row, index] of rows) all.push(toFinding(row, rules[index]!, crossing.first + row[0], tables))
  return all.sort((a, b) => a.event - b.event || place.get(a.ruleId)! - place.get(b.ruleId)!)
}
