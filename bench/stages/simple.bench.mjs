// Events per second of simple detections, with the index over rules and without. Build first:
// `npm run build && node bench/stages/simple.bench.mjs`. The compiled code may be elsewhere: `DIST=folder node …`.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const dist = pathToFileURL(resolve(process.env['DIST'] ?? 'dist')).href
const { simple } = await import(`${dist}/stages/detect/simple/index.js`)
const { compile } = await import(`${dist}/model/condition/compile.js`)
const { createRuleIndex } = await import(`${dist}/model/condition/rule-index.js`)
const { parseSimpleDetection } = await import(`${dist}/stages/detect/simple/parse.js`)

/** The same numbers on every run (xorshift). */
let state = 4848
function random(below) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % below
}
const pick = (list) => list[random(list.length)]

const NAMES = Array.from({ length: 6000 }, (_, i) => `${pick(['Create', 'Delete', 'Put', 'Get', 'List'])}Thing${i}`)
const FIELDS = [
  'eventName',
  'eventName',
  'eventName',
  'eventSource',
  'userIdentity.type',
  'requestParameters.name',
  'errorCode',
  'userAgent',
]

/**
 * A rule, of the shapes that public rules have: nine in ten hang on an equality or a set, the others on a part, prefix or suffix.
 * `odd` gives those that only say «some field exists» (public: 2 to 7 %), whose number is the number of candidates.
 */
function detection(i) {
  const key = { KeyPath: pick(FIELDS) }
  const more = { KeyPath: 'readOnly', Condition: 'DoesNotEqual', Value: true }
  const shape = i % 100
  if (shape < 70) return [{ ...key, Condition: 'Equals', Value: NAMES[i] }, more]
  if (shape < 90) return [more, { ...key, Condition: 'IsIn', Values: [NAMES[i], pick(NAMES), pick(NAMES)] }]
  if (shape < 94) return [{ ...key, Condition: 'StartsWith', Value: `${NAMES[i]}-` }]
  if (shape < 96) return [{ ...key, Condition: 'IEndsWith', Value: `-${NAMES[i]}` }]
  if (shape < 98) return [{ ...key, Condition: 'Contains', Value: `-${NAMES[i]}-` }]
  return [
    {
      Any: [
        { ...key, Condition: 'IEquals', Value: NAMES[i] },
        {
          KeyPath: 'resources',
          Condition: 'AnyElement',
          Expressions: [{ KeyPath: 'arn', Condition: 'Equals', Value: NAMES[i] }],
        },
      ],
    },
  ]
}

function rule(i) {
  const file = `rule-${i}.yml`
  const code = JSON.stringify({
    Detection: detection(i),
    AlertTitle: '{eventName} by {userIdentity.arn}',
    GroupBy: [{ KeyPath: 'userIdentity.arn' }],
  })
  return { id: `Rule.${i}`, enabled: true, logTypes: ['Bench'], severity: 'LOW', source: { language: 'simple', file, code } }
}

/** About 700 bytes, like a small CloudTrail event. */
const event = () => ({
  p_log_type: 'Bench',
  p_event_time: '2024-04-19T10:00:00.123456Z',
  p_row_id: random(4294967295).toString(16),
  eventVersion: '1.08',
  eventName: pick(NAMES),
  eventSource: `${pick(['ec2', 'iam', 's3', 'kms'])}.amazonaws.com`,
  awsRegion: 'eu-west-1',
  sourceIPAddress: `198.51.100.${random(256)}`,
  userAgent: 'aws-cli/2.1.34 Python/3.8.5 Linux/5.4',
  userIdentity: {
    type: 'AssumedRole',
    arn: `arn:aws:sts::123456789012:assumed-role/x/${random(1000)}`,
    accountId: '123456789012',
  },
  requestParameters: { name: `thing-${random(100000)}`, bucketName: 'logs' },
  responseElements: null,
  readOnly: random(2) === 1,
  resources: [{ arn: `arn:aws:s3:::bucket-${random(1000)}`, type: 'AWS::S3::Bucket' }],
  recipientAccountId: '123456789012',
})

const EVENTS = 5_000
const BATCHES = 40
// Other programs on the machine disturb some batches.
const best = (list) => Math.min(...list)
const micros = (ms) => (ms * 1000) / EVENTS

console.log(`Node ${process.version}. Batches of ${EVENTS} events, the best of ${BATCHES}; microseconds an event.\n`)
/** A number of rules, ready to run in three ways. */
async function prepare(count) {
  const rules = Array.from({ length: count }, (_, i) => rule(i))
  const detector = await simple.create({ rules, helpers: [] }, { timeoutMs: 1000, all: false })
  const conditions = rules.map(({ source }) => parseSimpleDetection(source.code, source).condition)
  const times = { whole: [], indexed: [], plain: [] }
  return {
    count,
    detector,
    index: createRuleIndex(conditions),
    compiled: conditions.map((condition) => compile(condition)),
    times,
    candidates: 0,
    matches: 0,
  }
}

function timed(times, work) {
  const start = performance.now()
  const result = work()
  times.push(performance.now() - start)
  return result
}

function judge({ index, compiled }, events) {
  let candidates = 0
  let matches = 0
  for (const event of events) {
    const list = index.candidates(event)
    candidates += list.length
    for (const at of list) if (compiled[at](event)) matches++
  }
  return { candidates, matches }
}

function judgePlainly({ compiled }, events) {
  let matches = 0
  for (const event of events) for (const predicate of compiled) if (predicate(event)) matches++
  return matches
}

// All sizes take turns on the same events, so that a busy machine is busy for all of them.
const sizes = []
for (const count of [1, 100, 1_000, 3_000]) sizes.push(await prepare(count))
for (let round = 0; round < BATCHES; round++) {
  const texts = Array.from({ length: EVENTS }, () => JSON.stringify(event()))
  const ndjson = Buffer.from(`${texts.join('\n')}\n`)
  for (const size of sizes) {
    const start = performance.now()
    await size.detector.evaluate({ logType: 'Bench', ndjson, count: EVENTS })
    size.times.whole.push(performance.now() - start)
    const events = texts.map((text) => JSON.parse(text))
    const { candidates, matches } = timed(size.times.indexed, () => judge(size, events))
    size.candidates += candidates
    size.matches += matches
    if (round >= 3) continue
    if (timed(size.times.plain, () => judgePlainly(size, events)) !== matches) throw new Error('the index lost a match')
  }
}

console.log('rules   whole   events/s   index and rules   all rules without index   candidates an event   matches an event')
for (const { count, times, candidates, matches } of sizes) {
  const [whole, indexed, plain] = [times.whole, times.indexed, times.plain].map((list) => micros(best(list)))
  const cells = [
    whole.toFixed(2).padStart(7),
    String(Math.round(1e6 / whole)).padStart(10),
    indexed.toFixed(2).padStart(17),
    plain.toFixed(2).padStart(25),
    (candidates / EVENTS / BATCHES).toFixed(3).padStart(21),
    (matches / EVENTS / BATCHES).toFixed(3).padStart(18),
  ]
  console.log(`${String(count).padStart(5)} ${cells.join(' ')}`)
}
const [, few, , many] = sizes
console.log(
  `\nFrom 100 to 3,000 rules: ${(best(many.times.whole) / best(few.times.whole)).toFixed(2)} times the time of an event.`,
)
