import { z } from 'zod'
import type { ExplainedStep, Explanation } from '../model/explanation.ts'
import { ExactJson, exactObject } from './exact-json.ts'

const stepSchema = z.object({
  kind: z.enum(['test', 'loop', 'return']).describe('A condition, a loop that ended without a result, or the returned value.'),
  file: z.string().describe('Relative to its content folder.'),
  line: z.int().describe('From 1; 0: not known.'),
  source: z.string().nullable().describe('The whole line.'),
  function: z.string().describe('The Python function, or the path in the YAML.'),
  text: z.string(),
  outcome: z.string(),
  values: z.array(z.object({ part: z.string(), value: z.string() })).describe('What its parts were.'),
})

const verdict = z
  .enum(['match', 'no_match', 'not_judged', 'error', 'depends'])
  .describe('`not_judged`: the rule would not see the event. `depends`: other events decide about a correlation rule.')

/** Why a rule matches an event, or why not. */
export const explanationSchema = z.object({
  rule_id: z.string(),
  kind: z.string(),
  file: z.string(),
  definition: z.string().describe('The YAML file.'),
  rule_version: z.string(),
  log_type: z.string(),
  row_id: z.string().nullable(),
  verdict,
  summary: z.string(),
  checks: z
    .array(
      z.object({
        what: z.enum(['enabled', 'log type', 'filter', 'prefilter']),
        passed: z.boolean(),
        detail: z.string(),
        decided: z.array(stepSchema),
      }),
    )
    .describe('What decides whether the rule sees the event. `prefilter`: it is not run on events that it cannot match.'),
  result: z
    .enum(['match', 'no_match', 'error'])
    .describe("The result of the rule's code, whether or not it would see the event."),
  decided: z.array(stepSchema).describe('What decided, then, if that was a call, what decided in the called function.'),
  steps: z.array(stepSchema).describe('Conditions in the order in which they were last tested.'),
  reads: z.array(z.object({ file: z.string(), line: z.int(), text: z.string(), value: z.string() })),
  error: z.string().nullable(),
  alert: z
    .object({
      title: z.string(),
      dedup: z.string(),
      severity: z.string(),
      function_errors: z.record(z.string(), z.string()),
      create_alert: z.boolean(),
      threshold: z.int(),
      dedup_period_minutes: z.int(),
    })
    .nullable(),
  members: z.array(z.object({ rule_id: z.string(), verdict, summary: z.string() })).describe('The rules of a correlation rule.'),
  notes: z.array(z.string()),
  event: z.record(z.string(), z.unknown()).describe('The event, with the rows of tables that were joined.'),
})

/** JSON text matching `explanationSchema`, with the exact event. */
export function explanationJson(explanation: Explanation): string {
  const { ruleId, version, logType, rowId, trace, checks, alert, error, members, event, ...others } = explanation
  return exactObject({
    rule_id: ruleId,
    rule_version: version,
    log_type: logType,
    row_id: rowId ?? null,
    ...others,
    checks: checks.map((check) => ({ ...check, decided: check.decided.map(stepView) })),
    decided: trace.decided.map(stepView),
    steps: trace.steps.map(stepView),
    reads: trace.reads,
    error: error ?? null,
    alert: alert
      ? {
          title: alert.title,
          dedup: alert.dedup,
          severity: alert.severity,
          function_errors: alert.functionErrors,
          create_alert: alert.createAlert,
          threshold: alert.threshold,
          dedup_period_minutes: alert.dedupPeriodMinutes,
        }
      : null,
    members: members.map(({ ruleId: rule_id, ...member }) => ({ rule_id, ...member })),
    event: new ExactJson(event),
  })
}

function stepView({ source = '', values, ...step }: ExplainedStep): z.output<typeof stepSchema> {
  return { ...step, source: source || null, values: values.map(([part, value]) => ({ part, value })) }
}
