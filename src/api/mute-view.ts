import { z } from 'zod'
import { MAX_OWNER_CHARS, MAX_REASON_CHARS } from '../model/alert-work.ts'
import type { Mute, MuteCriteria } from '../model/mute.ts'
import { SEVERITIES } from '../model/rule.ts'
import { etagOf, etagSchema } from './if-match.ts'
import { storable } from './storable.ts'

const pattern = storable(1000).min(1).optional()

/** What a mute covers. */
export const criteriaSchema = z
  .strictObject({
    rule: pattern.describe('Id of the rule; `*` stands for any text, here and below.'),
    dedup: pattern.describe('Dedup string.'),
    title: pattern.describe('Title.'),
    indicator: storable(2048).min(1).optional().describe('One of the indicators of the event, such as an address.'),
    severities: z.array(z.enum(SEVERITIES)).min(1).max(SEVERITIES.length).optional().describe('Any of these severities.'),
    log_type: pattern.describe('Log type of the event.'),
    exact: z
      .literal(true)
      .optional()
      .describe('The texts are compared as they are: `*` and `\\` are plain characters, and upper and lower case differ.'),
  })
  .refine(
    (criteria) => Object.keys(criteria).some((name) => name !== 'exact'),
    'a mute needs a criterion: without one it would cover every match',
  )

export const reasonSchema = storable(MAX_REASON_CHARS).regex(/\S/, 'a mute needs a reason').describe('Why.')
export const ownerSchema = storable(MAX_OWNER_CHARS).regex(/\S/, 'a mute needs an owner').describe('Who answers for it.')

const time = z.string().describe('RFC 3339, UTC.')

export const muteSchema = z.object({
  mute_id: z.string(),
  state: z.enum(['active', 'expired', 'ended']),
  match: z.record(z.string(), z.unknown()).describe('What it covers: matches that satisfy every criterion.'),
  owner: z.string(),
  reason: z.string(),
  by: z.string().describe('Who made it: the name of the API token.'),
  created_time: time,
  expires_time: time,
  ended_time: time.nullable(),
  ended_by: z.string().nullable(),
  matches: z.number().describe('Matches that it has covered.'),
  alerts: z.number().describe('Alerts that were not sent because of it.'),
  last_match_time: time.nullable(),
  etag: etagSchema,
})

export function muteView(mute: Mute, nowMs: number): z.output<typeof muteSchema> {
  const { logType, ...criteria } = mute.criteria
  const match = { ...criteria, log_type: logType }
  return {
    mute_id: mute.muteId,
    state: mute.endedMs !== null ? 'ended' : mute.expiresMs <= nowMs ? 'expired' : 'active',
    match: Object.fromEntries(Object.entries(match).filter(([, value]) => value !== undefined)),
    owner: mute.owner,
    reason: mute.reason,
    by: mute.by,
    created_time: iso(mute.createdMs),
    expires_time: iso(mute.expiresMs),
    ended_time: mute.endedMs === null ? null : iso(mute.endedMs),
    ended_by: mute.endedBy,
    matches: mute.matches,
    alerts: mute.alerts,
    last_match_time: mute.lastMs === null ? null : iso(mute.lastMs),
    etag: muteEtag(mute),
  }
}

export function muteEtag({ muteId, endedMs }: Mute): string {
  return etagOf(muteId, endedMs)
}

export function criteriaOf({ log_type, ...same }: z.output<typeof criteriaSchema>): MuteCriteria {
  return { ...same, ...(log_type !== undefined && { logType: log_type }) }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
