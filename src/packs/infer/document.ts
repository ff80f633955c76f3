import { isMap, isScalar, isSeq, visit, Document as YamlDocument } from 'yaml'
import type { ParserSpec } from '../../model/schema.ts'
import type { Shape } from './shape.ts'
import { eventTimeRank, isTimeName } from './times.ts'

/** A value as a schema file writes it. */
export interface ValueDocument {
  type: string
  timeFormats?: string[]
  isEventTime?: boolean
  required?: boolean
  indicators?: string[]
  element?: ValueDocument
  fields?: FieldDocument[]
  rename?: { from: string }
}

export interface FieldDocument extends ValueDocument {
  name: string
}

/** A schema file. */
export interface SchemaDocument {
  schema: string
  description?: string
  parser?: Record<string, unknown>
  fields: FieldDocument[]
}

/** A field that may be when the event happened. */
interface Candidate {
  readonly field: FieldDocument
  readonly path: string
  readonly isAlways: boolean
  readonly depth: number
  readonly rank: number
}

/** Names of standard columns, which no field may have. */
const RESERVED = /^(?:p_.*|extra)$/
const MAX_NAME = 255
/** Types that refuse other values. Of a rare member the same name may have another type in another kind of record. */
const MAY_VARY = new Set(['object', 'boolean', 'bigint', 'ubigint', 'float'])

/** Turns what was seen into fields. What could not be decided is in `notes`, one sentence each. */
export class DocumentWriter {
  readonly notes: string[] = []
  readonly #candidates: Candidate[] = []
  readonly #records: number

  constructor(records: number) {
    this.#records = records
  }

  /** The schema of these records; without a usable field it has none. */
  write(name: string, parser: ParserSpec | undefined, records: Shape): SchemaDocument {
    const fields = this.#fields(records, '', 0)
    this.#chooseEventTime()
    return { schema: name, ...(parser && { parser: { [parser.type]: parser.settings } }), fields }
  }

  #fields(object: Shape, path: string, depth: number, isInList = false): FieldDocument[] {
    const fields: FieldDocument[] = []
    for (const [key, shape] of object.members) {
      const here = path === '' ? key : `${path}.${key}`
      if (key === '' || key === '__proto__' || key.length > MAX_NAME) {
        this.notes.push(
          `${JSON.stringify(here.slice(0, 80))} cannot be the name of a field: its values are kept without a schema`,
        )
        continue
      }
      const isReserved = depth === 0 && RESERVED.test(key)
      if (isReserved && key.includes('.')) continue
      const name = isReserved ? freeName(object, key) : key
      const seen = this.#value(shape, key, here, depth, isInList)
      const value = seen && depth > 0 && object.isRare(shape) && MAY_VARY.has(seen.type) ? { type: 'json' } : seen
      if (!value) {
        this.notes.push(`${here} never has a value: it is not in the schema`)
        continue
      }
      const field: FieldDocument = { name, ...value, ...(isReserved && { rename: { from: key } }) }
      fields.push(field)
      this.#consider(field, shape, { path: here, depth, isInList, records: object.objects })
    }
    return fields
  }

  #value(shape: Shape, name: string, path: string, depth: number, isInList: boolean): ValueDocument | undefined {
    const { type } = shape
    if (type === undefined) return undefined
    if (type === 'object') {
      const fields = this.#fields(shape, path, depth + 1, isInList)
      return fields.length > 0 ? { type, fields } : { type: 'json' }
    }
    if (type === 'array') {
      const element = shape.element && this.#value(shape.element, name, `${path}[]`, depth, true)
      return { type, element: element ?? { type: 'json' } }
    }
    const format = this.#timeFormat(shape, name, path)
    if (format !== undefined) return { type: 'timestamp', timeFormats: [format] }
    const indicators = type === 'json' || type === 'boolean' ? [] : shape.indicators.of(name)
    return indicators.length > 0 ? { type: 'string', indicators } : { type }
  }

  #timeFormat(shape: Shape, name: string, path: string): string | undefined {
    if (shape.type === 'json') return undefined
    const { format } = shape.times
    if (format === 'ambiguous') {
      this.notes.push(
        `${path} is a time whose day and month cannot be distinguished: make it a timestamp with '%m/%d/%Y %H:%M:%S' or '%d/%m/%Y %H:%M:%S'`,
      )
      return undefined
    }
    return format?.startsWith('unix') && !isTimeName(name) ? undefined : format
  }

  #consider(
    field: FieldDocument,
    shape: Shape,
    at: { readonly path: string; readonly depth: number; readonly isInList: boolean; readonly records: number },
  ): void {
    const rank = eventTimeRank(field.name)
    if (field.type !== 'timestamp' || at.isInList || rank === undefined) return
    const isAlways = shape.count === this.#records
    this.#candidates.push({ field, path: at.path, isAlways, depth: at.depth, rank })
  }

  #chooseEventTime(): void {
    const [best] = this.#candidates.sort(
      (a, b) => Number(b.isAlways) - Number(a.isAlways) || a.depth - b.depth || a.rank - b.rank,
    )
    if (!best) {
      this.notes.push('no field says when the event happened: events get the time at which they are received')
      return
    }
    best.field.isEventTime = true
    if (best.isAlways && best.depth === 0) best.field.required = true
    if (!best.isAlways)
      this.notes.push(
        `${best.path}, the event's time, is not in every record: the others get the time at which they are received`,
      )
    const others = this.#candidates.slice(1, 4).map(({ path }) => path)
    if (others.length > 0) this.notes.push(`${best.path} is taken for the event's time; it could also be ${others.join(', ')}`)
  }
}

function freeName(object: Shape, key: string): string {
  let name = `own_${key}`
  while (object.members.has(name)) name = `own_${name}`
  return name
}

/** The YAML of a schema, with one line for each field that has none inside. */
export function schemaYaml(schema: SchemaDocument): string {
  const document = new YamlDocument(schema, { aliasDuplicateObjects: false })
  visit(document, {
    Map(_, node, path) {
      const isInFields = path.some((parent) => isMap(parent) && parent.has('name'))
      const isField = node.has('type') && (node.has('name') || isInFields)
      const isFlat = !node.items.some(({ key, value }) => isScalar(key) && key.value === 'fields' && isSeq(value))
      const hasFields = String(JSON.stringify(node.toJSON())).includes('"fields":')
      if (isField && isFlat && !hasFields) node.flow = true
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, indentSeq: false })
}
