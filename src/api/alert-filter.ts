import { z } from 'zod'
import { ALERT_STATUSES } from '../model/alert.ts'
import type { AlertFilter } from '../model/alert-filter.ts'
import { ALERT_QUALITIES, MAX_OWNER_CHARS } from '../model/alert-work.ts'
import { SEVERITIES } from '../model/rule.ts'
import { storable } from './storable.ts'

/** A parameter that may be given several times. */
const several = <T extends z.ZodType<string>>(one: T) =>
  z.preprocess((value) => (Array.isArray(value) || value === undefined ? value : [value]), z.array(one).max(10).optional())

const hidden = z.enum(['no', 'only', 'all']).default('no')

/** Which alerts: parameters of a query, and members of a body. */
export const alertFilterShape = {
  severity: several(z.enum(SEVERITIES)).describe('Severities; several: any of them.'),
  status: several(z.enum(ALERT_STATUSES)).describe('Statuses; several: any of them.'),
  rule: storable(500).min(1).optional().describe('Id of the rule.'),
  owner: storable(MAX_OWNER_CHARS).optional().describe('Name of the owner; empty: alerts without one.'),
  quality: z.enum(ALERT_QUALITIES).optional(),
  tag: storable(200).min(1).optional().describe('A tag of the rule, or a context tag of the alert.'),
  log_type: storable(200).min(1).optional().describe('A log type among its events.'),
  indicator: storable(2048).min(1).optional().describe('An indicator among its events, such as an address.'),
  text: storable(500).min(1).optional().describe('Part of the title, rule, dedup string or an indicator, in any case.'),
  since: z.iso.datetime({ offset: true }).optional().describe('Only those opened at or after this time.'),
  until: z.iso.datetime({ offset: true }).optional().describe('Only those opened before this time.'),
  muted: hidden.describe('`no`: those that no mute covers; `only`: muted ones; `all`: both.'),
  mute: storable(64).min(1).optional().describe('Only those that this mute covers; includes muted ones.'),
  held: z.enum(['only']).optional().describe('`only`: those on hold, also if they are muted or merged.'),
  merged: hidden.describe('`no`: those that were not merged into another; `only`: merged ones; `all`: both.'),
} as const

const filterSchema = z.object(alertFilterShape)

/** The filter as state takes it. */
export function alertFilter(given: z.output<typeof filterSchema>): AlertFilter {
  const { severity, status, rule, owner, log_type, since, until, muted, mute, merged, held, quality, tag, indicator, text } =
    given
  const isMuted = muted === 'all' || mute !== undefined || held ? undefined : muted
  return {
    severities: severity ?? [],
    statuses: status ?? [],
    ruleId: rule,
    owner: owner === '' ? null : owner,
    quality,
    tag,
    logType: log_type,
    indicator,
    text,
    sinceMs: since === undefined ? undefined : Date.parse(since),
    untilMs: until === undefined ? undefined : Date.parse(until),
    muted: isMuted,
    mutedBy: mute,
    merged: merged === 'all' || held ? undefined : merged,
    held: held === 'only',
  }
}
