import type { JsonObject, JsonValue } from '../../model/json.ts'
import { IndicatorGuesses } from './indicators.ts'
import { TimeFormats } from './times.ts'

/** Deeper values are any JSON. */
const MAX_DEPTH = 8
/** An object with more names than this has data as names. */
const MAX_NAMES = 500

/** Fewer values do not show which type a member has. */
const FEW = 5

const LOW = -(2n ** 63n)
const HIGH = 2n ** 63n - 1n
const HIGH_UNSIGNED = 2n ** 64n - 1n

export interface ShapeOptions {
  /** Every value is text, as in CSV: texts of numbers are numbers. */
  readonly isText: boolean
}

/** What the values of one field have been so far. Its size does not grow with the number of values. */
export class Shape {
  /** Values that are not null. */
  count = 0
  texts = 0
  booleans = 0
  integers = 0
  floats = 0
  objects = 0
  arrays = 0
  low = 0n
  high = 0n
  /** Some number is an integer beyond 64 bits. */
  isHuge = false
  /** Some object is deeper, or has more names, than a schema should list. */
  isOpen = false
  readonly times = new TimeFormats()
  readonly indicators = new IndicatorGuesses()
  readonly members = new Map<string, Shape>()
  element: Shape | undefined
  readonly #options: ShapeOptions

  constructor(options: ShapeOptions) {
    this.#options = options
  }

  add(value: JsonValue | undefined, depth = 0): void {
    if (value === null || value === undefined) return
    this.count++
    if (typeof value === 'string') this.#text(value)
    else if (typeof value === 'number' || typeof value === 'bigint') this.#number(value)
    else if (typeof value === 'boolean') {
      this.booleans++
      this.times.refuse()
    } else if (Array.isArray(value)) this.#array(value, depth)
    else this.#object(value as JsonObject, depth)
  }

  #text(text: string): void {
    if (this.#options.isText && this.#textNumber(text)) return
    this.texts++
    this.times.add(text, false)
    this.indicators.add(text)
  }

  /** Only texts that numbers would be written as, so that nothing is lost: not `007`. */
  #textNumber(text: string): boolean {
    if (text.length > 20 || !/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text)) return false
    const value = text.includes('.') ? Number(text) : BigInt(text)
    if (typeof value === 'number' && String(value) !== text) return false
    this.indicators.add(text)
    this.#number(value)
    return true
  }

  #number(value: number | bigint): void {
    this.times.add(String(value), true)
    const exact =
      typeof value === 'bigint' ? value : Number.isInteger(value) && Math.abs(value) < 2 ** 64 ? BigInt(value) : undefined
    if (exact === undefined) {
      this.floats++
      return
    }
    this.integers++
    if (exact < this.low) this.low = exact
    if (exact > this.high) this.high = exact
    if (exact < LOW || exact > HIGH_UNSIGNED) this.isHuge = true
  }

  #array(values: readonly JsonValue[], depth: number): void {
    this.arrays++
    this.times.refuse()
    if (depth >= MAX_DEPTH) {
      this.isOpen = true
      return
    }
    this.element ??= new Shape(this.#options)
    for (const value of values) this.element.add(value, depth + 1)
  }

  #object(object: JsonObject, depth: number): void {
    this.objects++
    this.times.refuse()
    if (depth >= MAX_DEPTH) {
      this.isOpen = true
      return
    }
    for (const [name, value] of Object.entries(object)) {
      let member = this.members.get(name)
      if (!member) {
        if (this.members.size >= MAX_NAMES) {
          this.isOpen = true
          continue
        }
        member = new Shape(this.#options)
        this.members.set(name, member)
      }
      member.add(value, depth + 1)
    }
  }

  /** The type that accepts every value; `undefined` if there was none. */
  get type(): 'string' | 'bigint' | 'ubigint' | 'float' | 'boolean' | 'array' | 'object' | 'json' | undefined {
    if (this.count === 0) return undefined
    if (this.objects === this.count) return this.#isMap() ? 'json' : 'object'
    if (this.arrays === this.count) return this.isOpen ? 'json' : 'array'
    if (this.objects + this.arrays > 0) return 'json'
    if (this.booleans === this.count) return 'boolean'
    if (this.integers + this.floats < this.count || this.isHuge) return 'string'
    if (this.floats > 0) return 'float'
    if (this.high <= HIGH) return 'bigint'
    return this.low < 0n ? 'string' : 'ubigint'
  }

  /** Whether the names of the object are data rather than fields: each is in few of the objects. */
  #isMap(): boolean {
    return this.isOpen || (this.members.size > 30 && this.#share() < 1 / 10)
  }

  /** Whether the object differs from record to record, as parameters of calls do, and this member of it is in few of them. */
  isRare(member: Shape): boolean {
    return this.members.size > 2 && this.#share() < 1 / 3 && member.count < Math.max(FEW, this.objects / 5)
  }

  /** Share of the objects that have a member, averaged over the members. */
  #share(): number {
    let present = 0
    for (const member of this.members.values()) present += member.count
    return present / this.members.size / this.objects
  }
}
