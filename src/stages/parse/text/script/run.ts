import { builtins, compare, modules } from './builtins.ts'
import { methodOf } from './methods.ts'
import { type Clause, type Expression, type FunctionDefinition, parseScript, type Statement } from './syntax.ts'
import {
  asInteger,
  beginWork,
  type Dict,
  elementsOf,
  fail,
  isEqual,
  isNumber,
  isTrue,
  keyOf,
  reprOf,
  ScriptFailure,
  sizeOf,
  spend,
  spendSearch,
  textOf,
  typeOf,
  type Value,
} from './values.ts'

/** Steps that a script may take for one record. */
const MAX_STEPS = 200_000
/** Characters and elements that it may make. */
const MAX_SIZE = 4 * 1024 * 1024
/** Functions that call each other. */
const MAX_CALLS = 50

/** A script's functions, ready to be called. */
export interface Script {
  /** Calls a function. Throws `ScriptFailure` with the line in its message; never runs longer than the limits. */
  call(name: string, given: readonly Value[]): Value
  has(name: string): boolean
}

/** Compiles a script of Starlark's subset. Throws `ScriptMistake`. */
export function compileScript(source: string): Script {
  const { functions, constants } = parseScript(source)
  const known = new Map(functions.map((one) => [one.name, one]))
  return {
    has: (name) => known.has(name),
    call(name, given) {
      const run = new Run(known)
      beginWork()
      run.start(constants)
      return run.call(known.get(name)!, given)
    },
  }
}

type Names = Map<string, Value>
const BREAK = Symbol('break')
const CONTINUE = Symbol('continue')
/** `undefined`: the next statement follows. */
type Flow = undefined | typeof BREAK | typeof CONTINUE | { readonly value: Value }

/** One call from outside, with its limits. */
class Run {
  readonly #functions: ReadonlyMap<string, FunctionDefinition>
  readonly #globals: Names = new Map()
  #steps = 0
  #size = 0
  #calls = 0
  #line = 0

  constructor(functions: ReadonlyMap<string, FunctionDefinition>) {
    this.#functions = functions
  }

  start(constants: readonly Statement[]): void {
    this.#located(() => this.#block(constants, this.#globals))
  }

  call(definition: FunctionDefinition, given: readonly Value[]): Value {
    return this.#located(() => this.#call(definition, given))
  }

  #located<T>(run: () => T): T {
    try {
      return run()
    } catch (error) {
      if (error instanceof ScriptFailure) throw new ScriptFailure(`line ${this.#line}: ${error.message}`)
      throw error
    }
  }

  #call({ name, parameters, body }: FunctionDefinition, given: readonly Value[]): Value {
    if (given.length !== parameters.length) return fail(`${name}() has ${parameters.length} parameters, not ${given.length}`)
    if (++this.#calls > MAX_CALLS) return fail(`more than ${MAX_CALLS} functions call each other`)
    const names: Names = new Map(parameters.map((parameter, i) => [parameter, given[i]!]))
    const flow = this.#block(body, names)
    this.#calls--
    return typeof flow === 'object' ? flow.value : null
  }

  #step(line: number): void {
    this.#line = line
    if (++this.#steps > MAX_STEPS) fail(`the script takes more than ${MAX_STEPS} steps for one record`)
  }

  /** Counts what a value takes up. */
  #made<T extends Value>(value: T): T {
    this.#size += sizeOf(value)
    if (this.#size > MAX_SIZE) fail(`the script makes more than ${MAX_SIZE} characters and elements for one record`)
    return value
  }

  #block(body: readonly Statement[], names: Names): Flow {
    for (const statement of body) {
      const flow = this.#statement(statement, names)
      if (flow !== undefined) return flow
    }
    return undefined
  }

  #statement(statement: Statement, names: Names): Flow {
    this.#step(statement.line)
    switch (statement.op) {
      case 'do':
        this.#value(statement.value, names)
        return undefined
      case 'set': {
        const value = this.#value(statement.value, names)
        const { symbol, target } = statement
        this.#assign(target, symbol ? this.#operate(symbol, this.#value(target, names), value) : value, names)
        return undefined
      }
      case 'when': {
        const branch = statement.branches.find(({ test }) => test === undefined || isTrue(this.#value(test, names)))
        return branch && this.#block(branch.body, names)
      }
      case 'for':
        return this.#for(statement, names)
      case 'return':
        return { value: statement.value ? this.#value(statement.value, names) : null }
      case 'break':
        return BREAK
      case 'continue':
        return CONTINUE
      case 'pass':
        return undefined
    }
  }

  #for(statement: Extract<Statement, { op: 'for' }>, names: Names): Flow {
    for (const one of copyOf(this.#value(statement.of, names))) {
      this.#step(statement.line)
      bind(statement.names, one, names)
      const flow = this.#block(statement.body, names)
      if (flow === BREAK) return undefined
      if (typeof flow === 'object') return flow
    }
    return undefined
  }

  #assign(target: Expression, value: Value, names: Names): void {
    if (target.op === 'name') names.set(target.name, value)
    else if (target.op === 'tuple' || target.op === 'list') {
      const parts = elementsOf(value)
      if (parts.length !== target.items.length) fail(`${parts.length} values for ${target.items.length} names`)
      for (const [i, one] of target.items.entries()) this.#assign(one, parts[i]!, names)
    } else if (target.op === 'index') {
      const of = this.#value(target.of, names)
      const at = this.#value(target.at, names)
      if (of instanceof Map) of.set(keyOf(at), value)
      else if (Array.isArray(of)) of[placeIn(of, at)] = value
      else fail(`a ${typeOf(of)} cannot be changed`)
    } else fail('this cannot be assigned to')
  }

  #value(expression: Expression, names: Names): Value {
    this.#step(expression.line)
    switch (expression.op) {
      case 'value':
        return expression.value
      case 'name':
        return this.#named(expression.name, names)
      case 'list':
      case 'tuple':
        return this.#made(expression.items.map((one) => this.#value(one, names)))
      case 'dict':
        return this.#made(
          new Map(expression.items.map(([key, value]) => [keyOf(this.#value(key, names)), this.#value(value, names)])),
        )
      case 'each':
        return this.#each(expression, names)
      case 'unary': {
        const value = this.#value(expression.of, names)
        if (expression.symbol === 'not') return !isTrue(value)
        return isNumber(value) ? -value : fail(`a ${typeOf(value)} has no negative`)
      }
      case 'binary':
        return this.#binary(expression, names)
      case 'if':
        return this.#value(isTrue(this.#value(expression.test, names)) ? expression.then : expression.else, names)
      case 'attribute':
        return this.#attribute(expression, names)
      case 'index':
        return indexed(this.#value(expression.of, names), this.#value(expression.at, names))
      case 'slice': {
        const of = this.#value(expression.of, names)
        if (typeof of !== 'string' && !Array.isArray(of)) return fail(`a ${typeOf(of)} has no parts`)
        const from = expression.from && this.#value(expression.from, names)
        const to = expression.to && this.#value(expression.to, names)
        return this.#made(
          of.slice(from === undefined ? 0 : asInteger(from), to === undefined ? undefined : asInteger(to)) as Value,
        )
      }
      case 'call': {
        const called = this.#value(expression.of, names)
        const given = expression.arguments.map((one) => this.#value(one, names))
        this.#line = expression.line
        // Sorting costs more than one look at each element.
        for (const one of given) spend(4 * sizeOf(one))
        return typeof called === 'function' ? this.#made(called(given)) : fail(`a ${typeOf(called)} cannot be called`)
      }
    }
  }

  #named(name: string, names: Names): Value {
    const value = names.get(name) ?? this.#globals.get(name)
    if (value !== undefined) return value
    const definition = this.#functions.get(name)
    if (definition) return (given) => this.#call(definition, given)
    return Object.hasOwn(builtins, name) ? builtins[name]! : fail(`there is no name '${name}'`)
  }

  #attribute({ of, name }: Extract<Expression, { op: 'attribute' }>, names: Names): Value {
    const module = of.op === 'name' && !names.has(of.name) && Object.hasOwn(modules, of.name) ? modules[of.name]! : undefined
    if (module) return Object.hasOwn(module, name) ? module[name]! : fail(`there is no function '${name}' in this module`)
    const value = this.#value(of, names)
    return methodOf(value, name) ?? fail(`a ${typeOf(value)} has no method '${name}'`)
  }

  #binary({ symbol, left, right }: Extract<Expression, { op: 'binary' }>, names: Names): Value {
    const a = this.#value(left, names)
    if (symbol === 'and') return isTrue(a) ? this.#value(right, names) : a
    if (symbol === 'or') return isTrue(a) ? a : this.#value(right, names)
    return this.#operate(symbol, a, this.#value(right, names))
  }

  #operate(symbol: string, a: Value, b: Value): Value {
    switch (symbol) {
      case '==':
        return isEqual(a, b)
      case '!=':
        return !isEqual(a, b)
      case '<':
        return compare(a, b) < 0
      case '>':
        return compare(a, b) > 0
      case '<=':
        return compare(a, b) <= 0
      case '>=':
        return compare(a, b) >= 0
      case 'in':
        return contains(b, a)
      case 'not in':
        return !contains(b, a)
    }
    if (symbol === '+' && typeof a === 'string' && typeof b === 'string') return this.#made(a + b)
    if (symbol === '+' && Array.isArray(a) && Array.isArray(b)) return this.#made([...a, ...b])
    if (symbol === '|' && a instanceof Map && b instanceof Map) return this.#made(new Map([...a, ...b]))
    if (symbol === '%' && typeof a === 'string') return this.#made(formatted(a, b))
    if (symbol === '*' && typeof a === 'string' && typeof b === 'number') {
      this.#size += a.length * Math.max(0, b)
      return this.#size > MAX_SIZE ? this.#made(a) : a.repeat(Math.max(0, Math.trunc(b)))
    }
    return arithmetic(symbol, a, b)
  }

  #each({ of, clauses, line }: Extract<Expression, { op: 'each' }>, outer: Names): Value {
    const names: Names = new Map(outer)
    const list: Value[] = []
    const dict: Dict = new Map()
    const walk = (rest: readonly Clause[]): void => {
      this.#step(line)
      const [clause, ...others] = rest
      if (clause === undefined) {
        const first = this.#value(of[0]!, names)
        if (of[1]) dict.set(keyOf(first), this.#value(of[1], names))
        else list.push(first)
      } else if ('test' in clause) {
        if (isTrue(this.#value(clause.test, names))) walk(others)
      } else {
        for (const one of copyOf(this.#value(clause.of, names))) {
          bind(clause.names, one, names)
          walk(others)
        }
      }
    }
    walk(clauses)
    return this.#made(of[1] ? dict : list)
  }
}

/** A loop goes through the elements as they were when it began. */
function copyOf(value: Value): readonly Value[] {
  spend(sizeOf(value))
  return [...elementsOf(value)]
}

function bind(targets: readonly string[], value: Value, names: Names): void {
  if (targets.length === 1) {
    names.set(targets[0]!, value)
    return
  }
  const parts = elementsOf(value)
  if (parts.length !== targets.length) fail(`${parts.length} values for ${targets.length} names`)
  for (const [i, name] of targets.entries()) names.set(name, parts[i]!)
}

function placeIn(list: readonly unknown[] | string, at: Value): number {
  const index = asInteger(at)
  const place = index < 0 ? index + list.length : index
  return place >= 0 && place < list.length ? place : fail(`there is no element ${index} among ${list.length}`)
}

function indexed(of: Value, at: Value): Value {
  if (typeof of === 'string' || Array.isArray(of)) return of[placeIn(of, at)] as Value
  if (!(of instanceof Map)) return fail(`a ${typeOf(of)} has no elements`)
  const value = of.get(keyOf(at))
  return value === undefined ? fail(`there is no key ${reprOf(at).slice(0, 80)}`) : value
}

function contains(all: Value, one: Value): boolean {
  if (typeof all === 'string') {
    if (typeof one !== 'string') return false
    spendSearch(all, one)
    return all.includes(one)
  }
  return all instanceof Map ? all.has(keyOf(one)) : elementsOf(all).some((other) => isEqual(other, one))
}

function arithmetic(symbol: string, a: Value, b: Value): Value {
  if (!isNumber(a) || !isNumber(b)) return fail(`'${symbol}' of ${typeOf(a)} and ${typeOf(b)}`)
  const [x, y] = [Number(a), Number(b)]
  if (y === 0 && (symbol === '/' || symbol === '//' || symbol === '%')) return fail('a division by zero')
  const results: Readonly<Record<string, number>> = {
    '+': x + y,
    '-': x - y,
    '*': x * y,
    '/': x / y,
    '//': Math.floor(x / y),
    '%': x - y * Math.floor(x / y),
  }
  const result = results[symbol]
  return result !== undefined && Number.isFinite(result)
    ? result
    : fail(`'${symbol}' of ${typeOf(a)} and ${typeOf(b)} is not a number`)
}

/** `"%s: %d" % (a, b)`. */
function formatted(format: string, value: Value): string {
  const given = Array.isArray(value) ? [...value] : [value]
  const text = format.replace(/%([%sdr])/g, (_, kind: string) => {
    if (kind === '%') return '%'
    const next = given.shift()
    return next === undefined ? fail('more places in the text than values') : kind === 'r' ? reprOf(next) : textOf(next)
  })
  return given.length > 0 ? fail('more values than places in the text') : text
}
