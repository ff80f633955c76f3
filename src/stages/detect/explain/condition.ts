import { compile } from '../../../model/condition/compile.ts'
import type { Condition } from '../../../model/condition/condition.ts'
import type { ExplainedStep, RuleTrace } from '../../../model/explanation.ts'
import type { JsonObject } from '../../../model/json.ts'
import { inWords, valuesOf } from './words.ts'

const MAX_STEPS = 40
const MAX_DECIDED = 9

/** A condition whose parts are explained one by one, and where it is written. */
export type Explained =
  | { readonly path: string; readonly leaf: Condition }
  | { readonly path: string; readonly op: 'and' | 'or' | 'onlyOne' | 'none'; readonly of: readonly Explained[] }

/** The parts of a condition that is not written as such in any file, or whose place is not known. */
export function partsOf(condition: Condition, path = ''): Explained {
  if (isOptional(condition)) return { path, leaf: condition }
  switch (condition.op) {
    case 'and':
    case 'or':
    case 'onlyOne':
    case 'none': {
      const of = condition.of.map((part, at) => partsOf(part, path === '' ? String(at) : `${path}.${at}`))
      return { path, op: condition.op, of }
    }
    default:
      return { path, leaf: condition }
  }
}

/** `field is missing, or …`, as inline filters are compiled: one condition to its author. */
function isOptional(condition: Condition): boolean {
  if (condition.op !== 'or' || condition.of.length !== 2) return false
  const [first] = condition.of
  return first!.op === 'not' && first.of.op === 'exists'
}

/** Every part with its outcome and the values that it tested, and the parts that decided. `file`: where the condition is written. */
export function traceCondition(root: Explained, event: JsonObject, file: string): RuleTrace {
  const steps: ExplainedStep[] = []
  const judged = judge(root, event, file, steps)
  return { steps: once(steps).slice(0, MAX_STEPS), decided: once(judged.decided).slice(0, MAX_DECIDED), reads: [] }
}

/** The prefilter's conditions repeat what a rule repeats. */
function once(steps: readonly ExplainedStep[]): readonly ExplainedStep[] {
  return [...new Map(steps.map((step) => [step.text, step])).values()]
}

interface JudgedPart {
  readonly holds: boolean
  readonly decided: readonly ExplainedStep[]
}

function judge(part: Explained, event: JsonObject, file: string, steps: ExplainedStep[]): JudgedPart {
  if ('leaf' in part) {
    const holds = compile(part.leaf)(event)
    const step = {
      kind: 'test',
      file,
      line: 0,
      function: part.path,
      text: inWords(part.leaf),
      outcome: holds ? 'True' : 'False',
      values: valuesOf(part.leaf, event).slice(0, MAX_DECIDED),
    } as const
    steps.push(step)
    return { holds, decided: [step] }
  }
  const parts = part.of.map((one) => judge(one, event, file, steps))
  const [yes, no] = [parts.filter(({ holds }) => holds), parts.filter(({ holds }) => !holds)]
  const all = (some: readonly JudgedPart[]) => some.flatMap(({ decided }) => decided)
  switch (part.op) {
    case 'and':
      return { holds: no.length === 0, decided: no.length === 0 ? all(yes) : no[0]!.decided }
    case 'or':
      return { holds: yes.length > 0, decided: yes.length > 0 ? yes[0]!.decided : all(no) }
    case 'none':
      return { holds: yes.length === 0, decided: yes.length === 0 ? all(no) : yes[0]!.decided }
    case 'onlyOne':
      return { holds: yes.length === 1, decided: yes.length === 0 ? all(no) : all(yes) }
  }
}
