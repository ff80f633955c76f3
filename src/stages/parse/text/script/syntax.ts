import { ScriptMistake, type Token, tokensOf } from './tokens.ts'

export type Expression = { readonly line: number } & (
  | { readonly op: 'value'; readonly value: string | number | bigint | boolean | null }
  | { readonly op: 'name'; readonly name: string }
  | { readonly op: 'list' | 'tuple'; readonly items: readonly Expression[] }
  | { readonly op: 'dict'; readonly items: readonly (readonly [Expression, Expression])[] }
  | { readonly op: 'each'; readonly of: readonly Expression[]; readonly clauses: readonly Clause[] }
  | { readonly op: 'unary'; readonly symbol: string; readonly of: Expression }
  | { readonly op: 'binary'; readonly symbol: string; readonly left: Expression; readonly right: Expression }
  | { readonly op: 'if'; readonly test: Expression; readonly then: Expression; readonly else: Expression }
  | { readonly op: 'attribute'; readonly of: Expression; readonly name: string }
  | { readonly op: 'index'; readonly of: Expression; readonly at: Expression }
  | {
      readonly op: 'slice'
      readonly of: Expression
      readonly from?: Expression | undefined
      readonly to?: Expression | undefined
    }
  | { readonly op: 'call'; readonly of: Expression; readonly arguments: readonly Expression[] }
)

/** Of a comprehension. */
export type Clause = { readonly names: readonly string[]; readonly of: Expression } | { readonly test: Expression }

export type Statement = { readonly line: number } & (
  | { readonly op: 'do'; readonly value: Expression }
  | { readonly op: 'set'; readonly target: Expression; readonly value: Expression; readonly symbol?: string | undefined }
  | {
      readonly op: 'when'
      readonly branches: readonly { readonly test: Expression | undefined; readonly body: readonly Statement[] }[]
    }
  | { readonly op: 'for'; readonly names: readonly string[]; readonly of: Expression; readonly body: readonly Statement[] }
  | { readonly op: 'return'; readonly value: Expression | undefined }
  | { readonly op: 'break' | 'continue' | 'pass' }
)

export interface FunctionDefinition {
  readonly name: string
  readonly parameters: readonly string[]
  readonly body: readonly Statement[]
}

/** Deeper expressions would exceed the stack. */
const MAX_NESTING = 100

const KEYWORDS = new Set(
  'and break continue def elif else for if in not or pass return lambda load while class import try'.split(' '),
)

const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ['True', true],
  ['False', false],
  ['None', null],
])

const PRECEDENCE: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  in: 4,
  'not in': 4,
  '==': 4,
  '!=': 4,
  '<': 4,
  '>': 4,
  '<=': 4,
  '>=': 4,
  '|': 5,
  '+': 6,
  '-': 6,
  '*': 7,
  '/': 7,
  '//': 7,
  '%': 7,
}

/** The functions and the values at the top of a script. Throws `ScriptMistake`. */
export function parseScript(source: string): {
  readonly functions: readonly FunctionDefinition[]
  readonly constants: readonly Statement[]
} {
  return new ScriptParser(tokensOf(source)).script()
}

class ScriptParser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  script() {
    const functions: FunctionDefinition[] = []
    const constants: Statement[] = []
    while (this.#now.kind !== 'end') {
      if (this.#takes('def')) functions.push(this.#definition())
      else constants.push(...this.#statement())
    }
    return { functions, constants }
  }

  get #now(): Token {
    return this.#tokens[this.#at]!
  }

  #takes(text: string): boolean {
    const { kind, text: now } = this.#now
    if (now !== text || (kind !== 'symbol' && kind !== 'name')) return false
    this.#at++
    return true
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw this.#unexpected(`'${text}' is missing`)
  }

  #unexpected(what: string): ScriptMistake {
    const { kind, text, line } = this.#now
    return new ScriptMistake(
      line,
      `${what} before ${text === '' ? `the ${kind === 'newline' ? 'end of the line' : kind}` : JSON.stringify(text)}`,
    )
  }

  #name(): string {
    const { kind, text } = this.#now
    if (kind !== 'name' || KEYWORDS.has(text)) throw this.#unexpected('a name is missing')
    this.#at++
    return text
  }

  #names(): string[] {
    const names = [this.#name()]
    while (this.#takes(',')) names.push(this.#name())
    return names
  }

  #definition(): FunctionDefinition {
    const name = this.#name()
    this.#expect('(')
    const parameters = this.#takes(')') ? [] : this.#names()
    if (parameters.length > 0) this.#expect(')')
    this.#expect(':')
    return { name, parameters, body: this.#block() }
  }

  #block(): Statement[] {
    if (this.#now.kind !== 'newline') return this.#statement()
    this.#at++
    this.#open()
    if (++this.#depth > MAX_NESTING) throw new ScriptMistake(this.#now.line, `blocks are nested more than ${MAX_NESTING} deep`)
    const body: Statement[] = []
    while (!this.#isAtEnd()) body.push(...this.#statement())
    this.#at++
    this.#depth--
    return body
  }

  #isAtEnd(): boolean {
    return this.#now.kind === 'dedent' || this.#now.kind === 'end'
  }

  #open(): void {
    if (this.#now.kind !== 'indent') throw this.#unexpected('an indented line is missing')
    this.#at++
  }

  #statement(): Statement[] {
    const { line } = this.#now
    if (this.#takes('if')) return [this.#when(line)]
    if (this.#takes('for')) {
      const names = this.#names()
      this.#expect('in')
      const of = this.#expressions()
      this.#expect(':')
      return [{ op: 'for', line, names, of, body: this.#block() }]
    }
    const { text, kind } = this.#now
    if (kind === 'name' && ['def', 'while', 'class', 'import', 'from', 'try', 'load', 'raise', 'with', 'lambda'].includes(text))
      throw new ScriptMistake(line, `'${text}' is not part of the language here`)
    const statements = [this.#simple(line)]
    while (this.#takes(';') && this.#now.kind !== 'newline') statements.push(this.#simple(line))
    if (this.#now.kind !== 'newline') throw this.#unexpected('the statement does not end')
    this.#at++
    return statements
  }

  #when(line: number): Statement {
    const branches: { test: Expression | undefined; body: readonly Statement[] }[] = []
    do {
      const test = this.#expression()
      this.#expect(':')
      branches.push({ test, body: this.#block() })
    } while (this.#takes('elif'))
    if (this.#takes('else')) {
      this.#expect(':')
      branches.push({ test: undefined, body: this.#block() })
    }
    return { op: 'when', line, branches }
  }

  #simple(line: number): Statement {
    for (const op of ['pass', 'break', 'continue'] as const) if (this.#takes(op)) return { op, line }
    if (this.#takes('return'))
      return { op: 'return', line, value: this.#now.kind === 'newline' ? undefined : this.#expressions() }
    const target = this.#expressions()
    if (this.#takes('=')) return { op: 'set', line, target, value: this.#expressions() }
    const symbol = ['+=', '-=', '*=', '/=', '//=', '%='].find((one) => this.#takes(one))
    if (symbol) return { op: 'set', line, target, value: this.#expressions(), symbol: symbol.slice(0, -1) }
    return { op: 'do', line, value: target }
  }

  /** One expression, or a tuple without brackets. */
  #expressions(): Expression {
    const { line } = this.#now
    const first = this.#expression()
    if (!this.#takes(',')) return first
    const items = [first]
    while (this.#now.kind !== 'newline' && this.#now.text !== '=' && this.#now.text !== ':') {
      items.push(this.#expression())
      if (!this.#takes(',')) break
    }
    return { op: 'tuple', line, items }
  }

  #expression(): Expression {
    if (++this.#depth > MAX_NESTING)
      throw new ScriptMistake(this.#now.line, `expressions are nested more than ${MAX_NESTING} deep`)
    const { line } = this.#now
    const then = this.#binary(1)
    this.#depth--
    if (!this.#takes('if')) return then
    const test = this.#binary(1)
    this.#expect('else')
    return { op: 'if', line, test, then, else: this.#expression() }
  }

  #binary(least: number): Expression {
    let left = this.#unary()
    for (;;) {
      const { line, text, kind } = this.#now
      const isNotIn = text === 'not' && this.#tokens[this.#at + 1]?.text === 'in'
      const symbol = isNotIn ? 'not in' : text
      const precedence = kind === 'text' || !Object.hasOwn(PRECEDENCE, symbol) ? 0 : PRECEDENCE[symbol]!
      if (precedence < least) return left
      this.#at += isNotIn ? 2 : 1
      left = { op: 'binary', line, symbol, left, right: this.#binary(precedence + 1) }
    }
  }

  #unary(): Expression {
    const { line } = this.#now
    if (this.#takes('not')) return { op: 'unary', line, symbol: 'not', of: this.#binary(3) }
    if (this.#takes('-')) return { op: 'unary', line, symbol: '-', of: this.#nested(() => this.#unary()) }
    return this.#postfix(this.#primary())
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_NESTING)
      throw new ScriptMistake(this.#now.line, `expressions are nested more than ${MAX_NESTING} deep`)
    const result = read()
    this.#depth--
    return result
  }

  #postfix(start: Expression): Expression {
    let of = start
    for (;;) {
      const { line } = this.#now
      if (this.#takes('.')) of = { op: 'attribute', line, of, name: this.#name() }
      else if (this.#takes('(')) of = { op: 'call', line, of, arguments: this.#list(')') }
      else if (this.#takes('[')) of = this.#subscript(of, line)
      else return of
    }
  }

  #subscript(of: Expression, line: number): Expression {
    const from = this.#now.text === ':' ? undefined : this.#expression()
    if (from && this.#takes(']')) return { op: 'index', line, of, at: from }
    this.#expect(':')
    const to = this.#now.text === ']' ? undefined : this.#expression()
    this.#expect(']')
    return { op: 'slice', line, of, from, to }
  }

  #list(end: string): Expression[] {
    const items: Expression[] = []
    while (!this.#takes(end)) {
      items.push(this.#expression())
      if (!this.#takes(',')) {
        this.#expect(end)
        break
      }
    }
    return items
  }

  #primary(): Expression {
    const { kind, text, line } = this.#now
    if (kind === 'text') {
      let value = ''
      for (; this.#now.kind === 'text'; this.#at++) value += this.#now.text
      return { op: 'value', line, value }
    }
    if (kind === 'number') {
      this.#at++
      const number = Number(text)
      return { op: 'value', line, value: /^\d+$/.test(text) && !Number.isSafeInteger(number) ? BigInt(text) : number }
    }
    if (this.#takes('(')) {
      const items = this.#list(')')
      const isTuple = items.length !== 1 || this.#tokens[this.#at - 2]!.text === ','
      return isTuple ? { op: 'tuple', line, items } : items[0]!
    }
    if (this.#takes('[')) return this.#listOrEach(line)
    if (this.#takes('{')) return this.#dictOrEach(line)
    const constant = CONSTANTS.get(text)
    if (kind === 'name' && constant !== undefined) {
      this.#at++
      return { op: 'value', line, value: constant }
    }
    return { op: 'name', line, name: this.#name() }
  }

  #listOrEach(line: number): Expression {
    if (this.#takes(']')) return { op: 'list', line, items: [] }
    const first = this.#expression()
    if (this.#now.text === 'for') return { op: 'each', line, of: [first], clauses: this.#clauses(']') }
    if (this.#takes(',')) return { op: 'list', line, items: [first, ...this.#list(']')] }
    this.#expect(']')
    return { op: 'list', line, items: [first] }
  }

  #dictOrEach(line: number): Expression {
    const items: [Expression, Expression][] = []
    while (!this.#takes('}')) {
      const key = this.#expression()
      this.#expect(':')
      const value = this.#expression()
      if (items.length === 0 && this.#now.text === 'for')
        return { op: 'each', line, of: [key, value], clauses: this.#clauses('}') }
      items.push([key, value])
      if (!this.#takes(',')) {
        this.#expect('}')
        break
      }
    }
    return { op: 'dict', line, items }
  }

  #clauses(end: string): Clause[] {
    const clauses: Clause[] = []
    while (!this.#takes(end)) {
      if (this.#takes('for')) {
        const names = this.#names()
        this.#expect('in')
        clauses.push({ names, of: this.#binary(1) })
      } else {
        this.#expect('if')
        clauses.push({ test: this.#binary(1) })
      }
    }
    return clauses
  }
}
