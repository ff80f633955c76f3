import { expect, test } from 'vitest'
import type { AuditEntry } from '../model/audit.ts'
import { type ActiveMute, MAX_ACTIVE_MUTES } from '../model/mute.ts'
import { snoozeOf } from '../model/snooze.ts'
import type { AlertSnooze } from '../state/snoozes.ts'
import type { Desk, DeskAsk } from './alert-desk.ts'
import { destinationDesk } from './destination-desk.ts'

const NOW = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000
const SNOOZABLE = { ruleId: 'R', body: { type: 'RULE', dedup: 'd' } } as const

/** A desk whose alert is in this state, with everything that it was asked. */
function world(found: AlertSnooze | undefined, { isOurs = true, answer = {} as unknown } = {}) {
  const [asked, audited]: [DeskAsk[], AuditEntry[]] = [[], []]
  const desk = destinationDesk({
    id: 'chat',
    type: 'slack',
    desk: (async (ask: DeskAsk) => {
      asked.push(ask)
      return answer
    }) as unknown as Desk,
    isReferenceOf: async () => isOurs,
    snoozes: async () => found,
    audit: async (entry) => {
      audited.push(entry)
    },
    onTrouble: () => {},
    now: () => NOW,
  })
  const snooze = (forMs: number | undefined) => desk.snooze({ alertId: 'a', reference: '1.1', by: 'ana', forMs })
  return { snooze, asked, audited }
}

const mute = (muteId: string, hours: number): ActiveMute => ({ muteId, criteria: {}, expiresMs: NOW + hours * HOUR })
const found = (...mutes: readonly ActiveMute[]): AlertSnooze => ({ snooze: snoozeOf(SNOOZABLE), mutes })

test('an alert is snoozed by a mute of exactly its rule and dedup string, in the name of the person', async () => {
  const { snooze, asked, audited } = world(found(mute('short', 1)))
  expect(await snooze(4 * HOUR)).toBeUndefined()
  const criteria = { rule: 'R', dedup: 'd', exact: true }
  expect(asked).toMatchObject([{ do: 'mute', criteria, owner: 'ana', by: 'ana', expiresMs: NOW + 4 * HOUR }])
  expect(audited).toMatchObject([{ audit_event: 'change', operation: 'snooze by slack', caller: 'ana', status: 200 }])
})

test('ending the snooze ends every mute by which the alert is snoozed', async () => {
  const { snooze, asked } = world(found(mute('m1', 1), mute('m2', 9)))
  expect(await snooze(undefined)).toBeUndefined()
  expect(asked).toEqual([
    { do: 'unmute', muteId: 'm1', by: 'ana' },
    { do: 'unmute', muteId: 'm2', by: 'ana' },
  ])
})

const ERROR = { snooze: snoozeOf({ ruleId: 'R', body: { type: 'RULE_ERROR', dedup: 'd' } }), mutes: [] }
test.each<[what: string, AlertSnooze | undefined, number | undefined, object, RegExp]>([
  ['of another message', found(), HOUR, { isOurs: false }, /does not belong to the alert/],
  ['that was deleted', undefined, HOUR, {}, /does not exist any more/],
  ['about a rule that fails', ERROR, HOUR, {}, /is about a rule that fails and cannot be snoozed/],
  ['that is snoozed for longer', found(mute('m', 5)), HOUR, {}, /snoozed until 2026-01-01T05:00:00.000Z already/],
  ['that is not snoozed', found(), undefined, {}, /is not snoozed any more/],
  ['for too long', found(), 400 * 24 * HOUR, {}, /for a year at most/],
  ['beyond the limit of mutes', found(), HOUR, { answer: 'too_many' }, new RegExp(`${MAX_ACTIVE_MUTES} mutes are in force`)],
])('an alert %s is refused with the reason, and that is in the audit log', async (_, state, forMs, part, why) => {
  const { snooze, audited } = world(state, part)
  expect(await snooze(forMs)).toMatch(why)
  expect(audited).toMatchObject([{ status: 'isOurs' in part ? 403 : 409, reason: expect.stringMatching(why) }])
})
