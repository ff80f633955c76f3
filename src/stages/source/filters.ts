import { RE2JS } from 're2js'
import { z } from 'zod'
import type { FilterTest } from '../../model/filter.ts'
import { messageOf } from '../../util/errors.ts'

const logTypes = z.array(z.string().min(1)).min(1).optional().describe('Only events of these log types are concerned.')

const fieldTest = z
  .strictObject({
    field: z.string().min(1).describe('The field; names joined by dots lead into objects.'),
    in: z
      .array(z.union([z.string(), z.number(), z.boolean()]))
      .min(1)
      .optional()
      .describe('It is one of these.'),
    starts: z.string().min(1).optional().describe('The text begins with this.'),
    contains: z.string().min(1).optional().describe('The text, or the list, contains this.'),
    ends: z.string().min(1).optional().describe('The text ends with this.'),
    above: z.number().optional().describe('The number is greater.'),
    below: z.number().optional().describe('The number is less.'),
    networks: z
      .array(z.union([z.cidrv4(), z.cidrv6()]))
      .min(1)
      .optional()
      .describe('The address is in one of these.'),
    exists: z.boolean().optional().describe('Whether it has a value.'),
  })
  .refine((test) => Object.keys(test).length > 1, { error: 'needs a test, such as `in: [200, 304]`' })

const test = z
  .strictObject({
    contains: z.array(z.string().min(1)).min(1).optional().describe('Texts, one of which the record contains.'),
    matches: z
      .string()
      .min(1)
      .superRefine(checkExpression)
      .optional()
      .describe('An expression in RE2 syntax that matches within the text of the record.'),
    log_types: logTypes,
    where: z.array(fieldTest).min(1).optional().describe('Tests of fields, all of which hold.'),
  })
  .refine((one) => isOfText(one) !== isOfFields(one), {
    error:
      'is about the text of a record (`contains`, `matches`) or about its event (`log_types`, `where`): write two filters for both',
  })

function isOfText({ contains, matches }: FilterTest): boolean {
  return (contains ?? matches) !== undefined
}

function isOfFields({ log_types, where }: FilterTest): boolean {
  return (log_types ?? where) !== undefined
}

function checkExpression(expression: string, context: z.RefinementCtx): void {
  try {
    RE2JS.compile(expression)
  } catch (error) {
    context.addIssue({ code: 'custom', message: `${messageOf(error)} (RE2 syntax)` })
  }
}

/** The configuration of filters and sampling, common to all sources. */
export const filterShape = {
  filters: z
    .array(
      z
        .strictObject({
          name: z.string().min(1).max(80).describe('Records that it leaves out are counted under this name.'),
          exclude: test.optional().describe('Records that fit are left out.'),
          include: test.optional().describe('Records that do not fit are left out.'),
        })
        .refine(({ exclude, include }) => (exclude === undefined) !== (include === undefined), {
          error: 'needs either `exclude` or `include`',
        }),
    )
    .max(100)
    .default([])
    .describe(
      'Records to leave out before they are stored or judged, in this order: `{name: health checks, exclude: {contains: ["GET /healthz"]}}`, `{name: errors only, include: {log_types: [Nginx.Access], where: [{field: status, above: 399}]}}`. See docs/schemas.md.',
    ),
  sampling: z
    .strictObject({
      keep: z.number().gt(0).lt(1).describe('Share of the records that is kept, between 0 and 1.'),
      log_types: logTypes,
    })
    .optional()
    .describe(
      'Keep only a share of the records, after the filters: `{keep: 0.1, log_types: [AWS.VPCFlow]}`. Which ones depends on their row ids only.',
    ),
}
