import { z } from 'zod'
import { ALERT_STATUSES } from '../../model/alert.ts'
import { ALERT_QUALITIES } from '../../model/alert-work.ts'
import { SEVERITIES } from '../../model/rule.ts'

/** A call of the API with the rights of whoever asks. */
export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** Below `/api/v1/`, with its query. */
  readonly path: string
  readonly body?: object
}

/** One operation that a model can ask for; each is one call of the API. */
export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  readonly name: string
  readonly title: string
  readonly description: string
  /** True if it changes something; such tools are only offered on request. */
  readonly isWrite?: true
  readonly input: Input
  readonly call: (input: z.output<Input>) => ApiCall
}

function tool<Input extends z.ZodObject>(definition: Tool<Input>): Tool {
  return definition as unknown as Tool
}

type Parameter = string | number | readonly string[] | undefined

function get(path: string, parameters: Readonly<Record<string, Parameter>> = {}): ApiCall {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters))
    for (const one of Array.isArray(value) ? (value as string[]) : value === undefined ? [] : [String(value)])
      query.append(name, one)
  return { method: 'GET', path: query.size > 0 ? `${path}?${query}` : path }
}

const alertId = z
  .string()
  .regex(/^[0-9a-f]{4,64}$/)
  .describe('Id of the alert, or the beginning of it.')
const moment = z.iso.datetime({ offset: true })
const page = {
  limit: z.int().min(1).max(50).default(20),
  cursor: z.string().max(200).optional().describe('`next` of the previous page.'),
}

export const TOOLS: readonly Tool[] = [
  tool({
    name: 'list_alerts',
    title: 'List alerts',
    description: 'Alerts, newest first.',
    input: z.strictObject({
      status: z.array(z.enum(ALERT_STATUSES)).max(4).optional(),
      severity: z.array(z.enum(SEVERITIES)).max(5).optional(),
      rule: z.string().max(500).optional().describe('Id of the rule.'),
      indicator: z.string().max(2048).optional().describe('An address, user, host or hash among its events.'),
      text: z.string().max(500).optional().describe('Part of the title, rule or dedup string.'),
      since: moment.optional(),
      until: moment.optional(),
      ...page,
    }),
    call: (input) => get('alerts', input),
  }),
  tool({
    name: 'get_alert',
    title: 'Read an alert',
    description: 'One alert with everything about why it was raised: rule, context, indicators, counts, status and owner.',
    input: z.strictObject({ id: alertId }),
    call: ({ id }) => get(`alerts/${id}`),
  }),
  tool({
    name: 'get_alert_events',
    title: 'Events of an alert',
    description: 'The events that matched, with all their fields and what tables added to them, oldest first.',
    input: z.strictObject({ id: alertId, limit: z.int().min(1).max(100).default(20), cursor: page.cursor }),
    call: ({ id, ...input }) => get(`alerts/${id}/events`, input),
  }),
  tool({
    name: 'get_alert_history',
    title: 'History of an alert',
    description: 'What happened to an alert, oldest first: opened, delivered, changed, commented, and by whom.',
    input: z.strictObject({ id: alertId }),
    call: ({ id }) => get(`alerts/${id}/timeline`),
  }),
  tool({
    name: 'related_alerts',
    title: 'Related alerts',
    description: 'Other alerts that share an indicator with this one.',
    input: z.strictObject({ id: alertId }),
    call: ({ id }) => get(`alerts/${id}/related`),
  }),
  tool({
    name: 'indicator_timeline',
    title: 'Timeline of an indicator',
    description:
      'Everything that any log says about an address, user, host, domain or hash, newest first, with counts per log type and hour.',
    input: z.strictObject({
      indicator: z.string().min(1).max(2048),
      since: moment.optional().describe('Default: 24 hours before `until`.'),
      until: moment.optional().describe('Default: now.'),
      ...page,
    }),
    call: (input) => get('timeline', input),
  }),
  tool({
    name: 'explain',
    title: 'Explain a rule on an event',
    description:
      'Why a rule matches a stored event, or why it does not: each condition with its value, or the deciding line of its code.',
    input: z.strictObject({
      rule: z.string().min(1).max(500).describe('Id of the rule.'),
      row_id: z
        .string()
        .regex(/^[0-9a-f]{16,64}$/)
        .describe('`p_row_id` of the event.'),
    }),
    call: (body) => ({ method: 'POST', path: 'explain', body }),
  }),
  tool({
    name: 'query',
    title: 'Query the logs by SQL',
    description:
      'One SELECT in ClickHouse SQL; read-only. Events are in logs.<log_type> (log type in lower case, `_` for `.`) and logs.all, matches in matches.all, tables in lookups.<name>. Times are in p_event_time, addresses in p_any_ip_addresses. information_schema.tables and information_schema.columns list tables and columns.',
    input: z.strictObject({ sql: z.string().min(1).max(20_000), max_rows: z.int().min(1).max(500).default(100) }),
    call: (body) => ({ method: 'POST', path: 'query', body }),
  }),
  tool({
    name: 'list_rules',
    title: 'List rules',
    description: 'All rules with their state, log types, number of matches and errors, and content that could not be loaded.',
    input: z.strictObject({}),
    call: () => get('rules'),
  }),
  tool({
    name: 'list_tables',
    title: 'List lookup tables',
    description: 'Lookup tables, how current they are, and how many rows they have.',
    input: z.strictObject({}),
    call: () => get('tables'),
  }),
  tool({
    name: 'look_up',
    title: 'Look up a key in a table',
    description: 'What a lookup table says about a key, as enrichment would add it to an event.',
    input: z.strictObject({
      table: z.string().regex(/^[\w-]{1,128}$/),
      key: z.string().min(1).max(2048),
      as_of: moment.optional().describe('The table as it was then. Default: now.'),
    }),
    call: ({ table, ...parameters }) => get(`tables/${table}/row`, parameters),
  }),
  tool({
    name: 'list_sources',
    title: 'List log sources',
    description: 'Where logs come from, how many records were received, and what became of them.',
    input: z.strictObject({}),
    call: () => get('sources'),
  }),
  tool({
    name: 'get_health',
    title: 'Health of Caracal',
    description: 'Whether Caracal works, and what is wrong if it does not.',
    input: z.strictObject({}),
    call: () => get('health'),
  }),
  tool({
    name: 'comment_on_alert',
    title: 'Comment on an alert',
    description: 'Adds a comment to an alert, which its history keeps.',
    isWrite: true,
    input: z.strictObject({ id: alertId, text: z.string().min(1).max(10_000) }),
    call: ({ id, text }) => ({ method: 'POST', path: `alerts/${id}/comments`, body: { text } }),
  }),
  tool({
    name: 'change_alert',
    title: 'Change the status of an alert',
    description: 'Sets the status of an alert, with the reason, and whether it was useful.',
    isWrite: true,
    input: z.strictObject({
      id: alertId,
      status: z.enum(ALERT_STATUSES),
      reason: z.string().min(1).max(1000).optional(),
      quality: z.enum(ALERT_QUALITIES).optional(),
    }),
    call: ({ id, ...body }) => ({ method: 'PATCH', path: `alerts/${id}`, body }),
  }),
]
