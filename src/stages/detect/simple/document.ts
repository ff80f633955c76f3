import { z } from 'zod'
import { SEVERITIES } from '../../../model/rule.ts'
import { MAX_STEPS } from './key-path.ts'

/** A value to compare with; null is not allowed. */
const scalar = z.union([z.string(), z.number(), z.bigint(), z.boolean()], { error: 'must be a text, a number, true or false' })
export type ScalarDocument = z.output<typeof scalar>

const name = z.string().min(1).max(1000)

const deepKey = z
  .array(z.union([name, z.int().min(0)]))
  .min(1)
  .max(MAX_STEPS)

const keySpecifier = z.strictObject({ Key: name.optional(), DeepKey: deepKey.optional(), KeyPath: name.optional() })
export type KeySpecifierDocument = z.output<typeof keySpecifier>

const enrichment = z.strictObject({ Table: name, Selector: name, FieldPath: name })

/** Longer lists belong in a lookup table. */
const MAX_VALUES = 10_000

/**
 * One match expression. The schema only defines its keys and their types; `expression.ts` checks which of them belong together,
 * with readable messages.
 */
export interface ExpressionDocument extends KeySpecifierDocument {
  Enrichment?: z.output<typeof enrichment> | undefined
  Condition?: string | undefined
  Value?: ScalarDocument | undefined
  Values?: readonly (ScalarDocument | KeySpecifierDocument)[] | undefined
  Expressions?: readonly ExpressionDocument[] | undefined
  All?: readonly ExpressionDocument[] | undefined
  Any?: readonly ExpressionDocument[] | undefined
  OnlyOne?: readonly ExpressionDocument[] | undefined
  None?: readonly ExpressionDocument[] | undefined
}

const expression: z.ZodType<ExpressionDocument> = z.lazy(() =>
  z.strictObject({
    ...keySpecifier.shape,
    Enrichment: enrichment.optional(),
    Condition: z.string().optional(),
    Value: scalar.optional(),
    Values: z
      .array(z.union([scalar, keySpecifier]))
      .min(1)
      .max(MAX_VALUES)
      .optional(),
    Expressions: expressions.optional(),
    All: expressions.optional(),
    Any: expressions.optional(),
    OnlyOne: expressions.optional(),
    None: expressions.optional(),
  }),
)

/** A list of match expressions. */
const expressions = z.array(expression).max(MAX_VALUES)

/** `InlineFilters` of a rule of any language. */
export const inlineFiltersDocument = z.array(expression).max(MAX_VALUES)

const severity = z
  .string()
  .transform((text) => text.toUpperCase())
  .pipe(z.enum(SEVERITIES))

/** A rule's `code` in this language: these keys of its YAML, as exact JSON text. */
export const simpleDocument = z.strictObject({
  Detection: expressions.min(1),
  AlertTitle: z.string().max(10_000).optional(),
  AlertContext: z
    .array(z.strictObject({ KeyName: name, KeyValue: keySpecifier }))
    .max(1000)
    .optional(),
  GroupBy: z.array(keySpecifier).max(100).optional(),
  DynamicSeverities: z
    .array(z.strictObject({ ChangeTo: severity, Conditions: expressions.min(1) }))
    .max(100)
    .optional(),
})
export type SimpleDocument = z.output<typeof simpleDocument>
