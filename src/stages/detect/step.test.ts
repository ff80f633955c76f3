import { expect, test } from 'vitest'
import type { Event } from '../../model/event.ts'
import type { Finding } from '../../model/match.ts'
import type { DetectBatch, Detector } from './language.ts'
import { toNdjson } from './ndjson.ts'
import { detectEvents } from './step.ts'

const event = (fields: object): Event => ({ p_log_type: 'A.Log', ...fields }) as unknown as Event

/** A detector that records its input and returns errors of one rule on the given events. */
function detector(logTypes: string[], ruleId: string, events: number[], seen: DetectBatch[] = []): Detector {
  const findings: Finding[] = events.map((index) => ({ kind: 'error', ruleId, event: index, cause: 'exception', message: '' }))
  return {
    logTypes: new Set(logTypes),
    ruleIds: () => [ruleId],
    setupErrors: [],
    evaluate: async (batch) => {
      seen.push(batch)
      return findings
    },
    test: () => Promise.reject(new Error('not asked for')),
    timings: () => [],
    close: async () => {},
  }
}

test('only detectors with rules for the log type are asked, once, with all events', async () => {
  const seen: DetectBatch[] = []
  const other: DetectBatch[] = []
  const events = [event({ n: 1 }), event({ n: 2 })]
  await detectEvents('A.Log', events, [detector(['A.Log'], 'r', [], seen), detector(['B.Log'], 'r', [], other)])
  expect(seen).toEqual([{ logType: 'A.Log', ndjson: toNdjson(events), events, count: 2 }])
  expect(other).toEqual([])
})

test('findings of several detectors are ordered by event, those of one keep their order', async () => {
  const detectors = [detector(['A.Log'], 'x', [0, 2, 2]), detector(['A.Log'], 'y', [0, 1])]
  const findings = await detectEvents('A.Log', [event({}), event({}), event({})], detectors)
  expect(findings.map((f) => `${f.event}${f.ruleId}`)).toEqual(['0x', '0y', '1y', '2x', '2x'])
})

test('without events or without rules nobody is asked', async () => {
  const seen: DetectBatch[] = []
  expect(await detectEvents('A.Log', [], [detector(['A.Log'], 'r', [0], seen)])).toEqual([])
  expect(await detectEvents('C.Log', [event({})], [detector(['A.Log'], 'r', [0], seen)])).toEqual([])
  expect(seen).toEqual([])
})

test('each event is one exact line', () => {
  const text = new TextDecoder().decode(toNdjson([event({ big: 2n ** 70n, line: 'a\nb', é: '😀' }), event({})]))
  expect(text).toBe('{"p_log_type":"A.Log","big":1180591620717411303424,"line":"a\\nb","é":"😀"}\n{"p_log_type":"A.Log"}\n')
})

test('a detector that cannot judge at all rejects', async () => {
  const broken = { ...detector(['A.Log'], 'r', []), evaluate: () => Promise.reject(new Error('no child')) }
  await expect(detectEvents('A.Log', [event({})], [broken])).rejects.toThrow('no child')
})
