import { integerLiteral, list, type Node, nameOf, part, textLiteral, variant } from './ast.ts'
import { readIndex, readKeys } from './functions/list.ts'
import type { Scope } from './scope.ts'
import { memberOf, type Value } from './value.ts'

/** A step into a nested value: keys that follow each other, or an index. */
export type Step = readonly string[] | number

/** `value:a.b[0]:c` as its base and the steps; consecutive keys are one step. */
export function pathOf(node: Node, scope: Scope): { readonly base: Node; readonly steps: readonly Step[] } {
  const steps: Step[] = []
  let base = node
  for (let access = part(base, 'JsonAccess'); access !== undefined; access = part(base, 'JsonAccess')) {
    steps.unshift(...list(part(part(access, 'path'), 'path')).map((step) => pathStep(step, scope)))
    base = part(access, 'value')
  }
  const merged: Step[] = []
  for (const step of steps) {
    const last = merged.at(-1)
    if (typeof step !== 'number' && last !== undefined && typeof last !== 'number') merged[merged.length - 1] = [...last, ...step]
    else merged.push(step)
  }
  return { base, steps: merged }
}

function pathStep(step: Node, scope: Scope): Step {
  const { tag, body } = variant(step)
  if (tag === 'Dot') return [String(part(body, 'key'))]
  const key = part(body, 'key')
  const index = integerLiteral(key)
  if (index !== undefined && index >= 0) return index
  return [textLiteral(key) ?? scope.context.unsupported('a path with a computed key').sql]
}

/** `[0]` or `.key` after an expression. */
export function subscript(step: Node, scope: Scope): Step {
  const index = integerLiteral(part(part(part(step, 'Subscript'), 'Index'), 'index'))
  if (index !== undefined && index >= 0) return index
  const dot = variant(part(step, 'Dot'))
  return [dot.tag === 'Identifier' ? nameOf(dot.body).text : scope.context.unsupported('a path with a computed key').sql]
}

/** Reads one step further. Text is parsed as JSON. */
export function readStep(scope: Scope): (from: Value, step: Step) => Value {
  return (from, step) => {
    if (from.shape === 'null') return { ...from, shape: 'json' }
    const nested = from.shape === 'json' || from.shape === 'text'
    if (typeof step === 'number') return nested || memberOf(from.shape) ? readIndex(from, step) : noPath(from, `[${step}]`, scope)
    return nested ? readKeys(from, step) : noPath(from, `:${step.join(':')}`, scope)
  }
}

function noPath(from: Value, path: string, scope: Scope): Value {
  return scope.context.unsupported(`${from.sql.slice(0, 100)}${path}: the value is no nested one but of the kind ${from.shape}`)
}
