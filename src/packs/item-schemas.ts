import { z } from 'zod'
import { CODE_KEYS, FIRST_KEYS } from './yaml-code.ts'

/** The characters of an id or display name, as accepted by Panther's tool. */
export const name = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[^<>&"%]+$/, 'must not contain any of < > & " %')

/** A list of texts without repeats. */
export const strings = z.array(z.string()).superRefine((list, context) => refuseRepeats(list, context))

/** Tags must also differ in more than case. */
const tags = strings.superRefine((list, context) => {
  if (new Set(list).size === list.length)
    refuseRepeats(
      list.map((tag) => tag.toLowerCase()),
      context,
    )
})

function refuseRepeats(list: readonly string[], context: z.RefinementCtx): void {
  const at = list.findIndex((value, index) => list.indexOf(value) !== index)
  if (at >= 0) context.addIssue({ code: 'custom', path: [at], message: `'${list[at]}' is listed twice: remove one` })
}

export const python = z.string().regex(/\.py$/, 'must name a .py file')
export const severity = z.enum(['Info', 'Low', 'Medium', 'High', 'Critical'])
const baseVersion = z.int().optional()

/** Entries that lack either key are ignored, as in Panther's tool. */
const mocks = z
  .array(z.strictObject({ objectName: z.string().optional(), returnValue: z.union([z.string(), z.boolean()]).optional() }))
  .optional()

const testShape = {
  Name: z.string().min(1),
  ExpectedResult: z.boolean(),
  Mocks: mocks,
  /** In older content, without effect. */
  LogType: z.unknown().optional(),
  ResourceType: z.unknown().optional(),
}
/** Table → its rows, or a file with them. */
const pinnedTables = z.record(
  z.string().min(1),
  z.union([z.string().min(1), z.array(z.record(z.string(), z.unknown()))], {
    error: 'must be a list of rows or the name of a file',
  }),
)
const ruleTest = z.strictObject({ ...testShape, Log: z.record(z.string(), z.unknown()), Tables: pinnedTables.optional() })
const policyTest = z.strictObject({ ...testShape, Resource: z.record(z.string(), z.unknown()) })
/** A detection's descriptive texts, and where its alerts go; common to all kinds. */
const about = {
  DisplayName: name.optional(),
  Description: z.string().optional(),
  Reference: z.string().optional(),
  Runbook: z.string().optional(),
  Tags: tags.optional(),
  /** Framework → list; the list's numbers are used as written (`3.10`). */
  Reports: z.record(z.string(), z.array(z.union([z.string(), z.number(), z.bigint(), z.boolean()]))).optional(),
  OutputIds: strings.optional(),
  Status: z.string().optional(),
  CreatedBy: z.string().optional(),
  RiskScore: z.number().min(0).max(100).optional(),
  OnlyUseBaseRiskScore: z.boolean().optional(),
  BaseVersion: baseVersion,
}

function unchecked(keys: readonly string[]): Record<string, z.ZodOptional<z.ZodUnknown>> {
  return Object.fromEntries(keys.map((key) => [key, z.unknown().optional()]))
}

/** The keys of a rule that a derived rule can override. */
const ruleShape = {
  ...about,
  DedupPeriodMinutes: z.int().min(0).max(525_600).optional(),
  Threshold: z.int().min(1).optional(),
  SummaryAttributes: strings.optional(),
  CreateAlert: z.boolean().optional(),
  Tests: z.array(ruleTest).optional(),
  /** Checked by `stages/detect/simple/filters.ts`. */
  InlineFilters: z.unknown().optional(),
  /** Checked by the language of the code. */
  ...unchecked(CODE_KEYS.filter((key) => !FIRST_KEYS.includes(key))),
}

const judging = {
  RuleID: name,
  Enabled: z.boolean(),
  Severity: severity,
  /** Either this, or code of a language in the YAML. */
  Filename: z.string().min(1).optional(),
  ...unchecked(FIRST_KEYS),
}

/** `AnalysisType: rule`. */
export const ruleItem = z.strictObject({ AnalysisType: z.literal('rule'), ...ruleShape, ...judging, LogTypes: strings.min(1) })

/** A scheduled rule judges the rows of queries. */
export const scheduledRuleItem = z.strictObject({
  AnalysisType: z.literal('scheduled_rule'),
  ...ruleShape,
  ...judging,
  ScheduledQueries: strings.min(1),
})

/** A rule that runs another one's code. Everything it does not set is inherited. */
export const derivedItem = z.strictObject({
  AnalysisType: z.literal('rule'),
  ...ruleShape,
  RuleID: name,
  BaseDetection: name,
  Enabled: z.boolean().optional(),
  Severity: severity.optional(),
})

export const policyItem = z.strictObject({
  AnalysisType: z.literal('policy'),
  ...about,
  PolicyID: name,
  Enabled: z.boolean(),
  Filename: z.string().min(1),
  Severity: severity,
  ResourceTypes: strings.optional(),
  ActionDelaySeconds: z.int().min(0).optional(),
  AutoRemediationID: z.string().optional(),
  AutoRemediationParameters: z.unknown().optional(),
  Suppressions: strings.optional(),
  Tests: z.array(policyTest).optional(),
})

const mapping = z
  .strictObject({ Name: z.string().min(1), Path: z.string().min(1).optional(), Method: z.string().min(1).optional() })
  .refine(({ Path, Method }) => (Path === undefined) !== (Method === undefined), 'needs either a Path or a Method')

export const dataModelItem = z.strictObject({
  AnalysisType: z.literal('datamodel'),
  DataModelID: name,
  Enabled: z.boolean(),
  LogTypes: strings.min(1),
  Mappings: z.array(mapping),
  DisplayName: name.optional(),
  Filename: python.optional(),
  BaseVersion: baseVersion,
})

export const globalItem = z.strictObject({
  AnalysisType: z.literal('global'),
  GlobalID: z.string().regex(/^[A-Za-z_]\w{0,200}$/, 'must be a Python module name: letters, digits and _'),
  Filename: python,
  Description: z.string().optional(),
  Tags: strings.optional(),
  BaseVersion: baseVersion,
})

export const packItem = z.strictObject({
  AnalysisType: z.literal('pack'),
  PackID: name,
  /** False: off until the configuration lists it under `enabled_packs`. */
  Enabled: z.boolean().optional(),
  /** Absent: everything in the pack's folder. */
  PackDefinition: z.strictObject({ IDs: z.array(z.string()) }).optional(),
  DisplayName: name.optional(),
  Description: z.string().optional(),
})

/** A table's own keys are checked by `stages/enrich`; here only those that make it an item. */
export const tableItem = z.looseObject({ AnalysisType: z.literal('lookup_table'), LookupName: name })

/** An extension of a table does not need a name. */
export const tableExtensionItem = tableItem.partial({ LookupName: true })

/** Likewise for a schema file and `stages/normalise`. */
export const schemaItem = z.looseObject({ schema: z.string().min(1) })

/** A task for an assistant of the service: nothing that could run here. */
export const promptItem = z.looseObject({ AnalysisType: z.literal('scheduled_prompt') })
