import { z } from 'zod'

/** The characters that Panther's tool allows in an id or display name. */
const name = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[^<>&"%]+$/, 'must not contain any of < > & " %')
const id = z.string().min(1).max(1000)
const path = z.string().min(1).max(1000)
/** A year, since signals are kept for as long as the look-back. */
const minutes = z.int().min(1).max(525_600)

/** Maximum number of members of a rule; each signal is compared with each of them. */
const MAX_MEMBERS = 20
/** Maximum number of values that a match shares. */
const MAX_CRITERIA = 10
/** More signals would have to be kept for every join key. */
const count = z.int().min(1).max(1000)

const member = z.strictObject({
  ID: id.optional(),
  RuleID: id,
  MinMatchCount: count.optional(),
  MaxMatchCount: count.optional(),
  Absence: z.boolean().default(false),
})
export type MemberDocument = z.output<typeof member>

const members = z.array(member).min(1).max(MAX_MEMBERS)

const transition = z.strictObject({
  ID: id.optional(),
  From: id,
  To: id,
  WithinTimeFrameMinutes: minutes.optional(),
  Match: z
    .array(z.strictObject({ On: path.optional(), From: path.optional(), To: path.optional() }))
    .length(1)
    .optional(),
})
export type TransitionDocument = z.output<typeof transition>

const detection = z.strictObject({
  Sequence: members.optional(),
  Transitions: z.array(transition).max(MAX_MEMBERS).optional(),
  Group: members.optional(),
  MatchCriteria: z
    .record(
      z.string(),
      z
        .array(z.strictObject({ GroupID: id, Match: path }))
        .min(1)
        .max(MAX_MEMBERS * 2),
    )
    .refine((criteria) => Object.keys(criteria).length <= MAX_CRITERIA, `may contain at most ${MAX_CRITERIA} names`)
    .optional(),
  MinMatchCount: z.int().min(1).max(MAX_MEMBERS).optional(),
  EventEvaluationOrder: z.enum(['Chronological', 'ReverseChronological']).default('Chronological'),
  LookbackWindowMinutes: minutes.default(15),
  Schedule: z
    .strictObject({ RateMinutes: minutes.optional(), CronExpression: z.string().min(1).optional(), TimeoutMinutes: minutes })
    .optional(),
})
export type DetectionDocument = z.output<typeof detection>

const test = z.strictObject({
  Name: z.string().min(1),
  ExpectedResult: z.boolean(),
  RuleOutputs: z
    .array(
      z.strictObject({
        ID: id,
        /** Field → value → times at which the rule fired with it, as minutes or timestamps. */
        Matches: z
          .record(z.string(), z.record(z.string(), z.array(z.union([z.number().min(-1e6).max(1e6), z.string()])).max(1000)))
          .optional(),
      }),
    )
    .max(100),
})
export type TestDocument = z.output<typeof test>

const strings = z.array(z.string())

/** `AnalysisType: correlation_rule`. */
export const correlationRuleDocument = z.strictObject({
  AnalysisType: z.literal('correlation_rule'),
  RuleID: name,
  Enabled: z.boolean(),
  Severity: z.enum(['Info', 'Low', 'Medium', 'High', 'Critical']),
  Detection: z.array(detection).length(1, 'must be a list of one item with a Sequence or a Group'),
  DisplayName: name.optional(),
  Description: z.string().default(''),
  Reference: z.string().default(''),
  Runbook: z.string().default(''),
  Tags: strings.default([]),
  Reports: z.record(z.string(), z.array(z.union([z.string(), z.number(), z.boolean()]))).default({}),
  SummaryAttributes: strings.default([]),
  OutputIds: strings.default([]),
  CreateAlert: z.boolean().default(true),
  Tests: z.array(test).default([]),
  /** No effect here; accepted so that existing content loads unchanged. */
  Status: z.string().optional(),
  CreatedBy: z.string().optional(),
  BaseVersion: z.int().optional(),
  OnlyUseBaseRiskScore: z.boolean().optional(),
})
export type CorrelationRuleDocument = z.output<typeof correlationRuleDocument>
