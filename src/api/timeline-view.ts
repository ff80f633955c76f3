import { z } from 'zod'
import { HAPPENINGS, type TimelineEntry } from '../model/alert-work.ts'

/** Something that happened to an alert. */
export const timelineSchema = z.object({
  id: z.int().describe('Entries are numbered in order.'),
  time: z.string().describe('RFC 3339, UTC; of matches, when the first of them joined.'),
  until_time: z.string().nullable().describe('Of matches: when the last of them joined.'),
  by: z.string().nullable().describe('Who did it: the name of the API token; null for Caracal itself.'),
  kind: z.enum(HAPPENINGS),
  detail: z
    .record(z.string(), z.unknown())
    .describe(
      '`opened`: severity, event_count, muted_by. `matches`: added, event_count (afterwards). `severity`: from, to. `delivered`, `failed`: destination, sent, error. `changed`: field, from, to. `merged`, `unmerged`: alert_id, of the other alert, or `hidden` if the caller may not see that one. `held`, `released`: reason. `comment`: text.',
    ),
})

export function timelineView({ id, atMs, untilMs, by, happening }: TimelineEntry): z.output<typeof timelineSchema> {
  const { kind, ...detail } = happening
  return {
    id,
    time: new Date(atMs).toISOString(),
    until_time: kind === 'matches' ? new Date(untilMs).toISOString() : null,
    by: by === '' ? null : by,
    kind,
    detail,
  }
}
