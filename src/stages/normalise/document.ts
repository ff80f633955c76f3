import { z } from 'zod'
import { isObject } from '../../model/json.ts'
import type { ParserSpec } from '../../model/schema.ts'
import { ConfigError, ConfigErrors } from '../../util/errors.ts'
import { type RefContext, resolveRef } from './definitions.ts'
import { indicatorNames } from './indicators.ts'
import { compileTimeFormat } from './time-format.ts'
import { checkTransforms, transformShape } from './transform-document.ts'
import type { TransformSpec } from './transformations.ts'

/** Scalar and container types of a schema's values, as Panther names them; `ubigint`, Zeek's `count`, is ours. */
export const VALUE_TYPES = [
  'string',
  'int',
  'smallint',
  'bigint',
  'ubigint',
  'float',
  'boolean',
  'timestamp',
  'array',
  'object',
  'json',
] as const
export type ValueType = (typeof VALUE_TYPES)[number]

/** What a value must be, checked. */
export interface ValueSpec {
  readonly type: ValueType
  readonly timeFormats: readonly string[]
  /** Of times whose format has no zone; UTC if absent. */
  readonly timeZone: string | undefined
  readonly indicators: readonly string[]
  readonly validate: ValidateSpec | undefined
  readonly marker: MarkerSpec | undefined
  /** The value is a text that contains it as JSON. */
  readonly isEmbedded: boolean
  /** Of an array. */
  readonly element: ValueSpec | undefined
  /** Of an object. */
  readonly fields: readonly FieldSpec[]
}

export interface FieldSpec extends ValueSpec, TransformSpec {
  readonly name: string
  readonly required: boolean
  readonly isEventTime: boolean
  /** Name in the record, if different: tried as a key, then as a dotted path. */
  readonly from: string | undefined
}

export interface ValidateSpec {
  readonly allow?: readonly string[] | undefined
  readonly deny?: readonly string[] | undefined
  readonly ip?: 'ipv4' | 'ipv6' | 'any' | undefined
  readonly cidr?: 'ipv4' | 'ipv6' | 'any' | undefined
}

/** Values that suggest this log type if the record does not name it. */
export interface MarkerSpec {
  readonly endsWith: readonly string[]
}

/** A schema file, checked. */
export interface SchemaSpec {
  readonly name: string
  readonly version: number
  readonly native: 'zeek' | undefined
  /** Records are the journal's entries, whose JSON writes bytes as lists. */
  readonly isJournal: boolean
  /** How the text of records is read, unless it is JSON or a native format that is detected. */
  readonly parser: ParserSpec | undefined
  readonly mayGuess: boolean
  /** Of a table's rows: the field with the time from which a row is not found any more. */
  readonly expiration: string | undefined
  /** Number of fields listed in the file; `fields` may also contain those that every log in the native format has. */
  readonly ownFields: number
  readonly fields: readonly FieldSpec[]
}

const validateSchema = z
  .strictObject({
    allow: z.array(z.string()).min(1).optional().describe('The only values that are accepted.'),
    deny: z.array(z.string()).min(1).optional().describe('Values that are refused.'),
    ip: z.enum(['ipv4', 'ipv6', 'any']).optional().describe('The value must be an address of this family.'),
    cidr: z.enum(['ipv4', 'ipv6', 'any']).optional().describe('The value must be a network in CIDR notation.'),
  })
  .refine((v) => !(v.allow && v.deny), { error: '`allow` and `deny` exclude each other: keep one' })

const valueShape = {
  type: z.enum([...VALUE_TYPES, 'ref'], { error: (issue) => typeError(issue.input) }),
  description: z.string().optional(),
  timeFormat: z.string().optional().describe('One format; `timeFormats` is the current form.'),
  timeFormats: z.array(z.string()).min(1).optional().describe('Tried in this order.'),
  timeZone: z
    .string()
    .optional()
    .describe('Zone of times whose format has none: a name such as Europe/Berlin, or an offset such as +02:00. Default: UTC.'),
  indicators: z.array(z.enum(indicatorNames)).optional(),
  validate: validateSchema.optional(),
  marker: z
    .strictObject({ endsWith: z.array(z.string().min(1)).min(1) })
    .optional()
    .describe('Values that suggest this log type when a record does not say what it is.'),
  isEmbeddedJSON: z.boolean().optional().describe('The value is a text that contains an object, an array or any JSON.'),
  target: z.string().optional().describe('Of type `ref`: the name in `definitions`.'),
}

function typeError(input: unknown): string {
  return `unknown type ${JSON.stringify(input)}: use one of ${VALUE_TYPES.join(', ')}, or ref`
}

/** A value in the validated YAML. */
export interface ValueInput {
  type: ValueType | 'ref'
  isEmbeddedJSON?: boolean | undefined
  target?: string | undefined
  timeFormat?: string | undefined
  timeFormats?: string[] | undefined
  timeZone?: string | undefined
  indicators?: string[] | undefined
  validate?: ValidateSpec | undefined
  marker?: MarkerSpec | undefined
  element?: ValueInput | undefined
  fields?: FieldInput[] | undefined
}

interface FieldInput extends ValueInput, TransformSpec {
  name: string
  required: boolean
  isEventTime: boolean
  isExpiration: boolean
  rename?: { from: string } | undefined
}

const elementSchema: z.ZodType<ValueInput> = z.strictObject({
  ...valueShape,
  get element() {
    return elementSchema.optional()
  },
  get fields() {
    return z.array(fieldSchema).min(1).optional()
  },
})

const fieldSchema: z.ZodType<FieldInput> = z.strictObject({
  ...valueShape,
  get element() {
    return elementSchema.optional()
  },
  get fields() {
    return z.array(fieldSchema).min(1).optional()
  },
  name: z.string().min(1).max(255),
  required: z.boolean().default(false),
  isEventTime: z
    .boolean()
    .default(false)
    .describe('Sets p_event_time. If there are several, the first one that is present, in field order, is used.'),
  isExpiration: z
    .boolean()
    .default(false)
    .describe('Of the rows of a lookup table: the time from which a row is not found any more.'),
  rename: z
    .strictObject({ from: z.string().min(1) })
    .optional()
    .describe('The name in the record.'),
  ...transformShape,
})

/** The YAML of a log schema. Keys as in Panther's schema files; unknown ones are refused. */
export const schemaDocument = z.strictObject({
  schema: z
    .string()
    .max(255)
    .regex(
      /^[A-Z][A-Za-z0-9]+(\.[A-Z][A-Za-z0-9]+)*$/,
      'a log type is CamelCase words joined by dots, as in `Custom.MyApp.Audit`',
    ),
  description: z.string().optional(),
  referenceURL: z.string().optional(),
  fieldDiscoveryEnabled: z.boolean().optional(),
  version: z.int().min(0).default(0),
  parser: z
    .record(z.string(), z.unknown())
    .refine((parser) => Object.keys(parser).length === 1, { error: 'a schema has one parser: keep one of these keys' })
    .optional()
    .describe('How the text of records is read.'),
  guess: z
    .boolean()
    .default(true)
    .describe('If false, this log type is never guessed: the record, its header or its source must name it.'),
  definitions: z
    .record(z.string(), elementSchema)
    .optional()
    .describe('Values for use in several places, by name: `{type: ref, target: NAME}`.'),
  fields: z.array(fieldSchema).min(1),
})

/** What was read, since a file is checked when it is loaded and read again when it is compiled. */
const read = new WeakMap<object, SchemaSpec>()

/**
 * Checks the parsed YAML of a schema file, which must not change afterwards.
 *
 * Throws `ConfigError` with the file and the path of the mistake, or `ConfigErrors` if several fields have one.
 */
export function readSchemaDocument(document: unknown, where: { readonly file: string }): SchemaSpec {
  const known = typeof document === 'object' && document !== null ? read.get(document) : undefined
  if (known) return known
  const spec = readDocument(document, where)
  read.set(document as object, spec)
  return spec
}

function readDocument(document: unknown, where: { readonly file: string }): SchemaSpec {
  const result = schemaDocument.safeParse(document)
  if (!result.success) {
    const issue = result.error.issues[0]!
    throw new ConfigError(issue.message, { file: where.file, path: issue.path.join('.') })
  }
  const { schema, version, parser, guess, fields, definitions = {} } = result.data
  const context = { file: where.file, definitions, count: { resolved: 0 }, mistakes: [] as ConfigError[] }
  const specs = readFields(fields, 'fields', context, 'top')
  const [only, ...others] = context.mistakes
  if (only) throw others.length === 0 ? only : new ConfigErrors(context.mistakes)
  return {
    name: schema,
    version,
    ...readParser(parser),
    mayGuess: guess,
    expiration: fields.find(({ isExpiration }) => isExpiration)?.name,
    ownFields: fields.length,
    fields: specs,
  }
}

/** Zeek's own logs are detected by their header, and the journal's entries are JSON; every other parser reads text. */
function readParser(parser: Readonly<Record<string, unknown>> | undefined): Pick<SchemaSpec, 'native' | 'isJournal' | 'parser'> {
  const [entry] = Object.entries(parser ?? {})
  if (!entry) return { native: undefined, isJournal: false, parser: undefined }
  const [type, settings] = entry
  const isZeek = type === 'native' && isNamed(settings, 'zeek')
  const isJournal = type === 'native' && isNamed(settings, 'journal')
  return { native: isZeek ? 'zeek' : undefined, isJournal, parser: isZeek || isJournal ? undefined : { type, settings } }
}

function isNamed(settings: unknown, name: string): boolean {
  return isObject(settings) && settings['name'] === name && Object.keys(settings).length === 1
}

/** Names that the standard columns use. */
const RESERVED = /^(p_.*|extra)$/

/** Where a field is: at the top, in objects, or in the elements of a list. */
type Place = 'top' | 'object' | 'list'

/** What reading a schema needs everywhere in it, and what was found wrong so far. */
interface Context extends RefContext {
  readonly mistakes: ConfigError[]
}

/** Further mistakes are not looked for. */
const MAX_MISTAKES = 50

/** The fields without mistakes. Every other one adds its first mistake to the context. */
function readFields(fields: readonly FieldInput[], path: string, context: Context, place: Place): FieldSpec[] {
  const { file } = context
  const isTop = place === 'top'
  const seen = new Set<string>()
  const read = (field: FieldInput, index: number): FieldSpec => {
    const at = { file, path: `${path}.${index}` }
    if (seen.has(field.name)) throw new ConfigError(`field '${field.name}' is there twice`, at)
    seen.add(field.name)
    if (field.name === '__proto__') throw new ConfigError('no field may be called __proto__', at)
    if (isTop && RESERVED.test(field.name)) {
      throw new ConfigError(
        `the name '${field.name}' is taken by a standard column: give the field a different name with \`rename: {from: ${field.name}}\``,
        at,
      )
    }
    const value = readValue(field, at.path, context, place === 'list' ? 'list' : 'object')
    checkTransforms(field, value.type, at)
    if (field.isEventTime && (value.type !== 'timestamp' || place === 'list')) {
      throw new ConfigError('`isEventTime` belongs to a field of type timestamp, and not in a list', at)
    }
    if (field.isExpiration && (value.type !== 'timestamp' || !isTop)) {
      throw new ConfigError('`isExpiration` belongs to a top-level field of type timestamp', at)
    }
    const { copy, concat, split, mask } = field
    return {
      ...value,
      ...{ copy, concat, split, mask },
      name: field.name,
      required: field.required,
      isEventTime: field.isEventTime,
      from: field.rename?.from,
    }
  }
  const { mistakes } = context
  return fields.flatMap((field, index) => {
    if (mistakes.length >= MAX_MISTAKES) return []
    try {
      return [read(field, index)]
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      // A definition that is used twice is read twice.
      if (!mistakes.some(({ message }) => message === error.message)) mistakes.push(error)
      return []
    }
  })
}

function readValue(value: ValueInput, path: string, context: Context, inside: Place): ValueSpec {
  const at = { file: context.file, path }
  const { type } = value
  if (type === 'ref') return readValue(...resolveRef(value, path, context), inside)
  if (value.target !== undefined) throw new ConfigError('`target` belongs to type ref', at)
  const formats = value.timeFormats ?? (value.timeFormat === undefined ? undefined : [value.timeFormat])
  if ((formats !== undefined) !== (type === 'timestamp')) {
    throw new ConfigError(
      formats ? '`timeFormats` belongs to type timestamp' : 'a timestamp needs `timeFormats`, as in `timeFormats: [rfc3339]`',
      at,
    )
  }
  for (const format of formats ?? []) {
    const compiled = compileTimeFormat(format, value.timeZone)
    if (typeof compiled === 'string') throw new ConfigError(compiled, at)
  }
  if (value.timeZone !== undefined && type !== 'timestamp') throw new ConfigError('`timeZone` belongs to type timestamp', at)
  if ((value.element !== undefined) !== (type === 'array'))
    throw new ConfigError('type array needs `element`; no other type has one', at)
  if ((value.fields !== undefined) !== (type === 'object'))
    throw new ConfigError('type object needs `fields`; no other type has them', at)
  if (value.isEmbeddedJSON && type !== 'object' && type !== 'array' && type !== 'json')
    throw new ConfigError('`isEmbeddedJSON` belongs to type object, array or json', at)
  if (value.marker && type !== 'string') throw new ConfigError('`marker` belongs to type string', at)
  if (type !== 'string' && (value.indicators || value.validate)) {
    throw new ConfigError('`indicators` and `validate` belong to type string (of an array: to its element)', at)
  }
  return {
    type,
    timeFormats: formats ?? [],
    timeZone: value.timeZone,
    indicators: value.indicators ?? [],
    validate: value.validate,
    marker: value.marker,
    isEmbedded: value.isEmbeddedJSON ?? false,
    element: value.element && readValue(value.element, `${path}.element`, context, 'list'),
    fields: readFields(value.fields ?? [], `${path}.fields`, context, inside),
  }
}
