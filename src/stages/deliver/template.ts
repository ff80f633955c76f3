import { ConfigError } from '../../util/errors.ts'
import type { Delivery } from './destination.ts'
import { alertText, plainBody } from './text.ts'

const MAX_TEXT = 10_000

/** What a template may name, and the text that stands for it. */
const FIELDS: Readonly<Record<string, (delivery: Delivery) => string>> = {
  kind: ({ kind }) => kind,
  alert_id: ({ alert }) => alert.alertId,
  rule_id: ({ alert }) => alert.ruleId,
  rule_name: ({ alert }) => alert.name,
  type: ({ alert }) => alert.type,
  severity: ({ alert }) => alert.severity,
  title: ({ alert }) => alert.title,
  description: ({ alert }) => alert.description,
  runbook: ({ alert }) => alert.runbook,
  reference: ({ alert }) => alert.reference,
  link: ({ alert }) => alert.link,
  tags: ({ alert }) => alert.tags.join(', '),
  dedup: ({ alert }) => alert.dedup,
  context: ({ alert }) => alert.context,
  created_time: ({ alert }) => alert.createdTime,
  first_event_time: ({ alert }) => alert.firstEventTime,
  last_event_time: ({ alert }) => alert.lastEventTime,
  event_count: ({ alert }) => String(alert.eventCount),
  log_types: ({ alert }) => alert.logTypes.join(', '),
  sources: ({ alert }) => alert.sourceLabels.join(', '),
  headline: (delivery) => alertText(delivery).headline,
  text: (delivery) => plainBody(alertText(delivery), MAX_TEXT),
}

export const TEMPLATE_FIELDS = Object.keys(FIELDS)

const NAME = /\{\{\s{0,10}([^{}\s]{0,60})\s{0,10}\}\}/g

/** Throws `ConfigError` for a name that no alert has. */
export function checkTemplate(template: object): void {
  mapTexts(template, (text) =>
    text.replace(NAME, (all, name: string) => {
      if (Object.hasOwn(FIELDS, name)) return ''
      throw new ConfigError(`body: ${all} is not part of an alert. Known: ${TEMPLATE_FIELDS.join(', ')}`)
    }),
  )
}

/** The template as JSON with every name replaced. Only whole texts of it change, so it stays valid JSON whatever the alert holds. */
export function filled(template: object, delivery: Delivery): string {
  return JSON.stringify(
    mapTexts(template, (text) => text.replace(NAME, (_, name: string) => FIELDS[name]!(delivery).toWellFormed())),
  )
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, change)]))
}
