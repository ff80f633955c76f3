import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Checked, isReply, readCompiled, readEvaluation, readLoad, readNecessary, readTests } from './answer.ts'
import type { NecessaryContent } from './protocol.ts'

const encode = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
const HEADER = {
  rules: [4, 7],
  skip: [[1, 2]],
  only: [
    [0, 1, 2],
    [0, 1],
  ],
} as const
const COUNT = 3

const MATCH = [
  1,
  0,
  {
    title: 'a title',
    severity: 'DEFAULT',
    destinations: ['a', 'b'],
    dedup: '',
    alert_context: '{"id": 18446744073709551615}',
    unique: null,
  },
  { description: 'KeyError' },
]
const ANSWER = {
  rows: [MATCH, [0, 1, 'exception', 'no such key'], [2, 0, 'timeout', '']],
  seconds: [0, 0.5],
  cacheWrites: [
    ['a', '{"counter":99999999999999999999999,"expires":1800000000}'],
    ['b', null],
    ['\ud800', '{"strings":["x"],"dictionary":"{\\"a\\": 1}","rule":"R"}'],
  ],
  cacheEvictions: [['R', 3]],
}

const evaluation = (answer: unknown) => readEvaluation(encode(answer), HEADER, COUNT)
const row = (value: unknown) => ({ ...ANSWER, rows: [value] })
const values = (given: object) => row([1, 0, given, {}])
const write = (value: unknown) => ({ ...ANSWER, cacheWrites: [value] })

test('answers of the engine are accepted unchanged', () => {
  expect(evaluation(ANSWER)).toEqual({ value: JSON.parse(JSON.stringify(ANSWER)) })
  expect(evaluation({ changed: [1, 'json.loads'] })).toEqual({ value: { changed: [1, 'json.loads'] } })
  expect(evaluation({ changed: [null, 'x'] })).toEqual({ value: { changed: [null, 'x'] } })
})

test.each([
  ['no JSON', 'x', /Unexpected|JSON/],
  ['null', null, /the answer is null/],
  ['a list', [], /rows is missing/],
  ['a report that the engine failed', { failed: 'the engine failed: KeyError()' }, /the engine failed: KeyError/],
  ['a rule of another number in a tampering report', { changed: [2, 'x'] }, /changed\[0\] is 2/],
  ['a tampering report without text', { changed: [0, 5] }, /changed\[1\] is 5/],
  ['no rows', { ...ANSWER, rows: null }, /rows is null/],
  ['a row that is a text', row('x'), /rows\[0\] is "x"/],
  ['a row of three', row([0, 0, 'exception']), /rows\[0\] is a list of 3/],
  ['a message that is no text', row([0, 0, 'exception', 7]), /message, is 7/],
  ['a message of a megabyte', row([0, 0, 'exception', 'x'.repeat(1_000_000)]), /1000000 characters/],
  ['an unknown cause', row([0, 0, 'tampering', 'x']), /cause, is "tampering"/],
  ['rule index 77', row([0, 77, 'exception', 'x']), /rule's index, is 77/],
  ['rule index -1', row([0, -1, 'exception', 'x']), /rule's index, is -1/],
  ['event -1', row([-1, 0, 'exception', 'x']), /event's index, is -1/],
  ['event 99', row([99, 0, 'exception', 'x']), /event's index, is 99/],
  ['event 0.5', row([0.5, 0, 'exception', 'x']), /event's index, is 0.5/],
  ['an event that was not shown to the rule', row([2, 1, 'exception', 'x']), /event 2, which its rule was not given/],
  ['a call twice', { ...ANSWER, rows: [MATCH, MATCH] }, /second answer about event 1/],
  ['values null', row([1, 0, null, {}]), /values, is null/],
  ['errors null', row([1, 0, {}, null]), /errors, is null/],
  ['an error of an unknown function', row([1, 0, {}, { rule: 'x' }]), /unknown function "rule"/],
  ['an error that is no text', row([1, 0, {}, { title: ['x'] }]), /title is a list of 1/],
  ['title: 5', values({ title: 5 }), /rows\[0\]."title" is 5/],
  ['title: null', values({ title: null }), /"title" is null/],
  ['a title of 10,000 characters', values({ title: 'x'.repeat(10_000) }), /10000 characters/],
  ['destinations: 5', values({ destinations: 5 }), /"destinations" is 5/],
  ['destinations of numbers', values({ destinations: [5] }), /"destinations" is a list of 1/],
  ['eleven destinations', values({ destinations: Array(11).fill('a') }), /"destinations" is a list of 11/],
  ['severity BOGUS', values({ severity: 'BOGUS' }), /"severity" is "BOGUS"/],
  ['severity null', values({ severity: null }), /"severity" is null/],
  ['an alert_context that is no JSON', values({ alert_context: 'this is not json' }), /"alert_context" is "this is not json"/],
  ['an alert_context that is a list', values({ alert_context: '[]' }), /"alert_context"/],
  ['an alert_context with text behind it', values({ alert_context: '{}x' }), /"alert_context"/],
  ['an alert_context that is an object', values({ alert_context: {} }), /"alert_context" is an object/],
  ['an unknown value', values({ rule: 'x' }), /"rule" is "x"/],
  [
    'a value __proto__',
    '{"rows":[[1,0,{"__proto__":"x"},{}]],"seconds":[0,0],"cacheWrites":[],"cacheEvictions":[]}',
    /__proto__/,
  ],
  ['no seconds', { ...ANSWER, seconds: undefined }, /seconds is missing/],
  ['too few seconds', { ...ANSWER, seconds: [1] }, /1 rules instead of 2/],
  ['negative seconds', { ...ANSWER, seconds: [1, -1] }, /seconds is -1/],
  ['evictions null', { ...ANSWER, cacheEvictions: null }, /cacheEvictions is null/],
  ['an eviction of no rule', { ...ANSWER, cacheEvictions: [[7, 1]] }, /cacheEvictions\[0\], the rule, is 7/],
  ['evictions below one', { ...ANSWER, cacheEvictions: [['R', -1]] }, /cacheEvictions\[0\], the number, is -1/],
  ['an entry of a rule that is no text', write(['k', '{"rule":1}']), /the entry of key "k"/],
  ['cache writes null', { ...ANSWER, cacheWrites: null }, /cacheWrites is null/],
  ['a cache key that is no text', write([5, null]), /key, is 5/],
  ['an empty cache key', write(['', null]), /empty key/],
  ['a cache key of a megabyte', write(['x'.repeat(1_000_000), null]), /1000000 characters/],
  ['a cache entry that is no JSON', write(['evil', 'this is not json']), /entry of key "evil", is "this is not json"/],
  ['a cache entry that is a number', write(['evil', 5]), /is 5/],
  ['a cache entry missing', write(['evil']), /is missing/],
  ['a cache entry whose expiry is a text', write(['evil', '{"expires":"tomorrow"}']), /evil/],
  ['a cache entry with an unknown part', write(['evil', '{"x":1}']), /evil/],
  ['a cache dictionary that is no JSON', write(['evil', '{"dictionary":"x"}']), /evil/],
])('an evaluation with %s is malformed, and the message says where', (_, answer, message) => {
  const read = evaluation(answer)
  expect(read).not.toHaveProperty('value')
  expect((read as { malformed: string }).malformed).toMatch(message)
})

test('answers about events that a rule was not sent are malformed', () => {
  expect(readEvaluation(encode(row([2, 1, 'exception', 'x'])), { rules: [0, 1], skip: [[1, 2]] }, COUNT)).toHaveProperty(
    'malformed',
  )
})

const DONE = { out: { detection: 'true' }, errors: { title: 'x' }, where: {}, printed: '', ms: 1.5 }

test.each([
  ['too few', [], 1],
  ['an answer that is null', [null], 1],
  ['an output that is no JSON', [{ ...DONE, out: { title: 'x' } }], 1],
  ['an unknown function', [{ ...DONE, out: { main: '1' } }], 1],
  ['an error that is no text', [{ ...DONE, errors: { title: 1 } }], 1],
  ['print that is no text', [{ ...DONE, printed: 1 }], 1],
  ['a time that is no number', [{ ...DONE, ms: '1' }], 1],
])('answers to tests with %s are malformed', (_, answer, count) => {
  expect(readTests(encode([DONE]), 1)).toEqual({ value: [DONE] })
  expect(readTests(encode(answer), count)).toHaveProperty('malformed')
})

const LOADED = { errors: [[1, 'import', 'x']], broken: [[0, 'x']], changed: null }

test.each([
  ['a number beyond', { ...LOADED, errors: [[2, 'import', 'x']] }],
  ['an unknown cause', { ...LOADED, errors: [[1, 'crash', 'x']] }],
  ['a message that is no text', { ...LOADED, errors: [[1, 'import', null]] }],
  ['a helper beyond', { ...LOADED, broken: [[1, 'x']] }],
  ['a reason that is no text', { ...LOADED, broken: [[0, 1]] }],
  ['no report of changes', { ...LOADED, changed: undefined }],
])('an answer to a load with %s is malformed', (_, answer) => {
  expect(readLoad(encode(LOADED), 2, 1)).toEqual({ value: LOADED })
  expect(readLoad(encode(answer), 2, 1)).toHaveProperty('malformed')
})

test.each([[['YQ==']], [['YQ==', 5]], [['YQ==', 'no base64']], [{}]])('compiled code %j is malformed', (answer) => {
  expect(readCompiled(encode(['YQ==', null]), 2)).toEqual({ value: ['YQ==', null] })
  expect(readCompiled(encode(answer), 2)).toHaveProperty('malformed')
})

const CONTENT = { rules: [{ id: 'R' }], logTypes: { 'A.B': ['R'] } } as unknown as NecessaryContent
const TRAITS = { attributes: ['a'], mocks: false }
const lines = (...all: unknown[]) => all.map((line) => JSON.stringify(line)).join('\n')
const HEAD = { shared: TRAITS, rules: { R: TRAITS } }
const ALWAYS = { op: 'always', value: true }

test.each([
  ['no traits', lines({}, ['A.B', 'R', ALWAYS, true, null])],
  ['a rule that is not known', lines({ ...HEAD, rules: { X: TRAITS } })],
  ['a log type that is not known', lines(HEAD, ['toString', 'R', ALWAYS, true, null])],
  ['a rule that was not asked about', lines(HEAD, ['A.B', 'X', ALWAYS, true, null])],
  ['an unknown condition', lines(HEAD, ['A.B', 'R', { op: 'maybe' }, true, null])],
  ['a condition inside that is null', lines(HEAD, ['A.B', 'R', { op: 'not', of: null }, true, null])],
  ['a field without segments', lines(HEAD, ['A.B', 'R', { op: 'exists', field: { kind: 'path' } }, true, null])],
  ['a text for a boolean', lines(HEAD, ['A.B', 'R', ALWAYS, 'true', null])],
  ['an empty line', `${lines(HEAD)}\n`],
])('conditions with %s are malformed', (_, text) => {
  const good = lines(HEAD, ['A.B', 'R', { op: 'and', of: [ALWAYS] }, true, null])
  expect(readNecessary(encode(good), CONTENT)).toEqual({ value: good })
  expect(readNecessary(encode(text), CONTENT)).toHaveProperty('malformed')
})

test('only the three kinds of replies are accepted', () => {
  expect(isReply({ kind: 'answer' })).toBe(true)
  expect(isReply({ kind: 'beat', mark: 1, ms: 5, interrupted: false })).toBe(true)
  expect(isReply({ kind: 'died', how: 'crash', mark: 0, message: 'x', isReading: false })).toBe(true)
  for (const header of [null, 'x', {}, { kind: 'beat' }, { kind: 'beat', mark: -1, ms: 0, interrupted: false }])
    expect(isReply(header)).toBe(false)
  expect(isReply({ kind: 'died', how: 'because', mark: 0, message: 'x', isReading: false })).toBe(false)
})

/** JSON that resembles an answer in places. */
const nearly: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>(0, 1, 2, 'exception', 'timeout', 'HIGH', '{}', '{"counter":1}', null, MATCH, ...ANSWER.rows),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.constantFrom('rows', 'seconds', 'cacheWrites', 'changed', 'failed', 'title', 'severity', 'alert_context', 'errors'),
      tie('value'),
      { maxKeys: 4 },
    ),
  ),
})).value

/** The answer with one value at any depth replaced. */
const broken = fc.tuple(fc.nat(60), nearly).map(([at, value]) => {
  let left = at
  const copy = JSON.parse(JSON.stringify(value)) as unknown
  return JSON.stringify(ANSWER, (_, old: unknown) => (left-- === 0 ? copy : old))
})

test('for any JSON, a reader does not throw and accepts only values that its type allows', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        nearly.map((value) => JSON.stringify(value)),
        broken,
        fc.string(),
      ),
      (text) => {
        for (const read of [readTests, readCompiled] as const) expect(isOutcome(read(encode(text), 1))).toBe(true)
        expect(isOutcome(readLoad(encode(text), 2, 1))).toBe(true)
        expect(isOutcome(readNecessary(encode(text), CONTENT))).toBe(true)
        const read = readEvaluation(encode(text), { rules: [4, 7], skip: [] }, COUNT)
        expect(isOutcome(read)).toBe(true)
        if ('value' in read) expect(isEvaluation(read.value)).toBe(true)
      },
    ),
    { seed: 7, numRuns: 3000 },
  )
})

function isOutcome(read: Checked<unknown>): boolean {
  return 'value' in read !== 'malformed' in read
}

/** A second, slow check of the type. */
function isEvaluation(answer: unknown): boolean {
  const { rows, seconds, cacheWrites, changed } = answer as Record<string, unknown[]>
  if (changed) return [0, 1, null].includes(changed[0] as number) && typeof changed[1] === 'string'
  const texts = ['title', 'description', 'reference', 'runbook', 'dedup', 'unique', 'alert_context']
  const areRows = (rows as unknown[][]).every(([event, rule, third, fourth]) => {
    if (![0, 1, 2].includes(event as number) || ![0, 1].includes(rule as number)) return false
    if (typeof third === 'string') return typeof fourth === 'string' && ['exception', 'return_type', 'timeout'].includes(third)
    if (Object.values(fourth as object).some((text) => typeof text !== 'string')) return false
    return Object.entries(third as object).every(([name, value]) => {
      if (name === 'severity') return ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL', 'DEFAULT'].includes(value)
      if (name === 'destinations') return value === null || (value as unknown[]).every((one) => typeof one === 'string')
      if (name === 'alert_context') JSON.parse(value)
      return texts.includes(name) && (typeof value === 'string' || (name === 'unique' && value === null))
    })
  })
  const areWrites = (cacheWrites as unknown[][]).every(([key, entry]) => {
    if (typeof key !== 'string' || (entry !== null && typeof entry !== 'string')) return false
    return entry === null || typeof (JSON.parse(entry) as { expires?: number }).expires !== 'string'
  })
  return areRows && areWrites && seconds!.length === 2
}
