import { z } from 'zod'
import { addressRange } from '../../model/ip-text.ts'
import { storable } from '../storable.ts'

export const MAX_FILTERS = 50
const MAX_VALUES = 1000
const MAX_LOG_TYPES = 100
const MAX_VALUE_CHARS = 2048

/** What a filter compares with: how many values, and what each must be. */
export const OPS = [
  'equals',
  'not_equals',
  'contains',
  'not_contains',
  'starts_with',
  'ends_with',
  'greater',
  'greater_or_equal',
  'less',
  'less_or_equal',
  'in_network',
  'not_in_network',
  'exists',
  'missing',
] as const
export type Op = (typeof OPS)[number]

const value = z.union([storable(MAX_VALUE_CHARS), z.number(), z.boolean()])

export const filterSchema = z
  .strictObject({
    field: storable(300)
      .min(1)
      .describe('A column such as `user` or `p_any_ip_addresses`; `detail.user.id` is a member of a JSON column.'),
    op: z.enum(OPS),
    values: z.array(value).max(MAX_VALUES).default([]).describe('Any of these. None for `exists` and `missing`.'),
  })
  .superRefine(({ op, values }, context) => {
    const issue = (message: string) => context.addIssue({ code: 'custom', path: ['values'], message })
    const takesNone = op === 'exists' || op === 'missing'
    if (takesNone && values.length > 0) issue(`'${op}' takes no values`)
    if (!takesNone && values.length === 0) issue(`'${op}' needs a value`)
    if (/greater|less/.test(op) && values.length > 1) issue(`'${op}' takes one value`)
    if (/network/.test(op))
      for (const one of values)
        if (typeof one !== 'string' || !addressRange(one)) issue(`'${one}' is no network: give one such as 192.0.2.0/24`)
  })

export type Filter = z.output<typeof filterSchema>

/** A log type by its name; patterns are for tokens. */
const logType = z.string().regex(/^[A-Za-z0-9._]{1,128}$/, 'the name of a log type, such as Zeek.Conn')

/** What every search is about. */
export const searchBase = {
  log_types: z.array(logType).max(MAX_LOG_TYPES).default([]).describe('Only these. Empty: all that have the fields.'),
  since: z.iso.datetime({ offset: true }).optional().describe('From this time on. Default: 24 hours before `until`.'),
  until: z.iso.datetime({ offset: true }).optional().describe('Before this time. Default: now.'),
  filters: z.array(filterSchema).max(MAX_FILTERS).default([]).describe('All of them must hold.'),
  text: storable(MAX_VALUE_CHARS).min(1).optional().describe('Occurs in some field, in any case.'),
}
