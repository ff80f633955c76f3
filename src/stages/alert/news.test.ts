import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AlertStatus, AlertWindow } from '../../model/alert.ts'
import type { Event } from '../../model/event.ts'
import type { ActiveMute, MuteCriteria } from '../../model/mute.ts'
import { SEVERITIES, type Severity } from '../../model/rule.ts'
import { News } from './news.ts'
import type { Judged } from './step.ts'

interface Given {
  readonly ruleId?: string
  readonly dedup?: string
  readonly title?: string
  readonly severity?: Severity
  readonly logType?: string
  readonly address?: string
  readonly isWider?: true
}

function match({
  ruleId = 'Tor.SSH',
  dedup = 'd',
  title = 'Login',
  severity = 'LOW',
  logType = 'Zeek.SSH',
  address = '192.0.2.1',
  isWider,
}: Given = {}): Judged {
  const finding = { kind: 'match', ruleId, event: 0, title, dedup, severity, functionErrors: {} }
  const event = { p_log_type: logType, p_any_ip_addresses: [address] } as unknown as Event
  return { finding, event, text: () => '{}', ...(isWider && { isWider }) } as unknown as Judged
}

const mute = (criteria: MuteCriteria, muteId = 'm', expiresMs = 1000): ActiveMute => ({ muteId, criteria, expiresMs })
const window = (part: Partial<AlertWindow> = {}) =>
  ({ alertId: 'a', opened: false, severity: 'LOW', eventCount: 0, body: {}, ...part }) as AlertWindow

function join(news: News, to: AlertWindow, item = match(), atMs = 10): void {
  news.joins(to, item, atMs)
  to.eventCount++
}

test.each<[MuteCriteria, Given, boolean]>([
  [{ rule: 'tor.*' }, {}, true],
  [{ rule: 'Tor' }, {}, false],
  [{ dedup: 'd' }, {}, true],
  [{ dedup: 'd*' }, { dedup: 'e' }, false],
  [{ title: '*from x' }, { title: 'Login from X' }, true],
  [{ indicator: '192.0.2.1' }, {}, true],
  [{ indicator: '192.0.2' }, {}, false],
  [{ severities: ['LOW', 'INFO'] }, {}, true],
  [{ severities: ['INFO'] }, {}, false],
  [{ logType: 'Zeek.*' }, {}, true],
  [{ logType: 'Nginx.*' }, {}, false],
  [{ logType: '*' }, { isWider: true }, false],
  [{ indicator: '192.0.2.1' }, { isWider: true }, true],
  [{ rule: 'Tor.SSH', indicator: '192.0.2.9' }, {}, false],
  [{ rule: 'Tor.SSH', dedup: 'a*\\b', exact: true }, { dedup: 'a*\\b' }, true],
  [{ rule: 'Tor.SSH', dedup: 'a*b', exact: true }, { dedup: 'axb' }, false],
  // Alerts of `d` and of `D` are different ones.
  [{ rule: 'Tor.SSH', dedup: 'd', exact: true }, { dedup: 'D' }, false],
  [{ rule: 'tor.ssh', dedup: 'd', exact: true }, {}, false],
])('a mute of %j covers a match with %j: %s', (criteria, given, expected) => {
  const news = new News([mute(criteria)])
  const one = window()
  join(news, one, match(given))
  expect(one.mutedBy ?? null).toBe(expected ? 'm' : null)
  expect(news.finish().mutes).toEqual(expected ? [{ muteId: 'm', matches: 1, alerts: 0 }] : [])
})

test('a rule error is never muted', () => {
  const news = new News([mute({ rule: '*' })])
  const one = window()
  news.joins(one, { finding: { kind: 'error', ruleId: 'Tor.SSH' } } as unknown as Judged, 10)
  expect(one.mutedBy).toBeUndefined()
})

test('a mute covers what is received before it expires', () => {
  const news = new News([mute({ rule: '*' }, 'm', 1000)])
  const [before, after] = [window(), window()]
  join(news, before, match(), 999)
  join(news, after, match(), 1000)
  expect([before.mutedBy, after.mutedBy ?? null]).toEqual(['m', null])
})

const steps = fc.array(
  fc.record({ muted: fc.boolean(), severity: fc.constantFrom(...SEVERITIES), ends: fc.constantFrom(true, false, false) }),
  { minLength: 1, maxLength: 40 },
)

test('whatever batches matches come in, people are notified as if each had come alone', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4 }), (all, threshold) => {
      const live = window({ severity: all[0]!.severity })
      let expected: { count: number; known?: { events: number; severity: number }; status: AlertStatus; muted: boolean } = {
        ...{ count: 0, status: 'OPEN', muted: all[0]!.muted },
      }
      for (const { muted, severity, ends } of all) {
        const news = new News([mute({ dedup: 'quiet' })])
        if (ends && live.opened) {
          live.status = 'RESOLVED'
          expected = { ...expected, status: 'RESOLVED' }
        }
        const wasOpened = live.opened
        join(news, live, match({ dedup: muted ? 'quiet' : 'loud', severity }))
        if (live.eventCount >= threshold) live.opened = true
        const { changes } = news.finish()

        // The oracle.
        const count = expected.count + 1
        const rank = Math.max(...all.slice(0, count).map((one) => SEVERITIES.indexOf(one.severity)))
        const now = { events: count, severity: rank }
        const wasMuted = expected.muted
        const isMuted = wasMuted && muted
        let news1: string | undefined
        let { known, status } = expected
        if (wasOpened && !muted) {
          const isAgain = status === 'RESOLVED'
          status = 'OPEN'
          if (wasMuted) news1 = 'unmuted'
          else if (isAgain) news1 = 'reopened'
          else if (rank > known!.severity || count >= 10 * known!.events) news1 = 'updated'
        }
        if (count === threshold || news1) known = now
        expected = { count, status, muted: isMuted, ...(known && { known }) }

        expect(changes.map(({ kind }) => kind)).toEqual(news1 ? [news1] : [])
        expect([live.mutedBy ?? null, SEVERITIES.indexOf(live.severity)]).toEqual([isMuted ? 'm' : null, rank])
        expect(live.status ?? 'OPEN').toBe(status)
      }
    }),
    { numRuns: 500 },
  )
})
