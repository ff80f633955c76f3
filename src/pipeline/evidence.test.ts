import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AlertWindow } from '../model/alert.ts'
import type { Event } from '../model/event.ts'
import { MAX_EVENT_CHARS, MAX_EVIDENCE, type NewEvidence } from '../model/evidence.ts'
import type { Match } from '../model/match.ts'
import { MAX_DEAD_LETTER_BYTES } from '../model/outcome.ts'
import type { Rule } from '../model/rule.ts'
import type { Judged } from '../stages/alert/step.ts'
import { stringifyJson } from '../util/json.ts'
import { evidenceOf } from './evidence.ts'

const PLACE = '0123456789abcdef'
const rules = new Map([['R', { id: 'R', version: 'v1' } as Rule]])

function matchOf(number: number, fields: object = {}, part: Partial<Match> = {}): Judged {
  const p_row_id = PLACE + number.toString(16).padStart(12, '0')
  const event = { p_log_type: 'T', p_row_id, p_source_id: 's', number, ...fields } as unknown as Event
  const texts = { title: 't', dedup: 'd', description: '', reference: '', runbook: '' }
  const rest = { destinations: undefined, alertContext: '{"a":1}', functionErrors: {}, event: 0 }
  const finding = { kind: 'match', ruleId: 'R', severity: 'LOW', ...texts, ...rest, ...part } as Match
  return { finding, event, text: () => stringifyJson(event) }
}

/** The evidence of a window that has counted all of these matches, the last of which are new. */
function evidenceAfter(
  eventCount: number,
  items: readonly Judged[],
  raw: Parameters<typeof evidenceOf>[0]['raw'] = [],
): NewEvidence[] {
  const window = { alertId: 'a', eventCount } as AlertWindow
  return evidenceOf({ windowOf: new Map(items.map((item) => [item, window])), raw, rules, generation: 'g' })
}

test('however matches are split into batches, the first ones are kept, each once and in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 6 }), (sizes) => {
      let count = 0
      const kept = sizes.flatMap((size) => {
        const items = Array.from({ length: size }, (_, at) => matchOf(count + at))
        count += size
        return evidenceAfter(count, items)
      })
      expect(kept.map(({ number }) => number)).toEqual(Array.from({ length: Math.min(count, MAX_EVIDENCE) }, (_, at) => at + 1))
      for (const { number, evidence } of kept) expect(evidence.event).toContain(`"number":${number - 1}`)
    }),
  )
})

test('a match is kept with the record, the event as the rule saw it, and the rows that it read', () => {
  const record = Buffer.from('one\ntwo\n')
  const raw = [{ place: PLACE, bytes: record, spans: [4, 4, 7] }]
  const looked = [{ table: 'users', row: { id: 1n << 60n, p_match: 'ann', p_version: 'v' } }]
  const [kept] = evidenceAfter(1, [matchOf(4, {}, { looked, unique: null })], raw)
  expect(kept).toMatchObject({ alertId: 'a', number: 1, sourceId: 's' })
  expect(kept!.evidence).toMatchObject({ raw: 'two', isRawCut: false, generation: 'g', ruleVersion: 'v1', unique: null })
  expect(kept!.evidence.event).not.toContain('p_enrichment')
  expect(kept!.evidence.looked).toBe(
    '[{"table":"users","row":{"id":1152921504606846976,"p_match":"ann","p_version":"v"},"isOfList":false}]',
  )
})

test('what is too long is left out or cut, and marked', () => {
  const record = Buffer.alloc(MAX_DEAD_LETTER_BYTES + 1, 'x')
  const raw = [{ place: PLACE, bytes: record, spans: [4, 0, record.length] }]
  const [kept] = evidenceAfter(1, [matchOf(4, { long: 'x'.repeat(MAX_EVENT_CHARS) })], raw)
  expect([kept!.evidence.event, kept!.evidence.isRawCut, kept!.evidence.raw!.length]).toEqual([null, true, MAX_DEAD_LETTER_BYTES])
})

test('rule errors and matches of correlation rules, which have no event, are not evidence', () => {
  const { finding } = matchOf(1)
  const error: Judged = { ...matchOf(1), finding: { kind: 'error', ruleId: 'R', event: 0, cause: 'exception', message: 'x' } }
  expect(evidenceAfter(2, [error, { finding, event: undefined, text: () => '' }])).toEqual([])
})
