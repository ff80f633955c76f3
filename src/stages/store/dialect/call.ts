import type { Name, Node } from './ast.ts'
import type { Context } from './context.ts'
import type { Scope } from './scope.ts'
import type { Value } from './value.ts'

/** A function call during translation. Arguments are translated on demand. */
export interface Call {
  readonly context: Context
  readonly scope: Scope
  readonly name: string
  readonly count: number
  readonly distinct: boolean
  /** The call counts rows: `count(*)`. */
  readonly star: boolean
  /** WITHIN GROUP (ORDER BY …): the value and whether the order is descending. */
  readonly ordered: { readonly value: Value; readonly descending: boolean } | undefined
  value(at: number): Value
  values(): Value[]
  /** An argument that is a bare word or a text, such as a time unit. */
  word(at: number): string | undefined
  /** An argument that is a whole number. */
  integer(at: number): number | undefined
  node(at: number): Node
  /** An argument that is a bare name. */
  bareName(at: number): Name | undefined
}

/** How a function is translated, and its number of arguments. */
export interface Translation {
  readonly min: number
  readonly max: number
  readonly run: (call: Call) => Value
  /** Whether it allows or requires OVER. */
  readonly window?: 'may' | 'must'
}

export type FunctionTable = Readonly<Record<string, Translation>>

export function fn(min: number, max: number, run: (call: Call) => Value): Translation {
  return { min, max, run }
}

/** An aggregate function that is a single aggregate of the engine, so that OVER can follow it. */
export function aggregate(min: number, max: number, run: (call: Call) => Value): Translation {
  return { min, max, run, window: 'may' }
}

/** A function that is only valid with OVER. */
export function windowed(min: number, max: number, run: (call: Call) => Value): Translation {
  return { min, max, run, window: 'must' }
}
