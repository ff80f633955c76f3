// What it costs to trace a batch: CPU of its spans, and of their JSON, on the thread that commits. Uses the compiled code: `npm run build` first.
import { BatchTraces } from '../../dist/pipeline/batch-trace.js'
import { otlpTraces } from '../../dist/telemetry/tracing/otlp.js'

const BATCHES = 20_000
const REQUEST = 512
const chunks = [{ bytes: new Uint8Array(1000) }]
const counts = [
  { outcome: 'received', n: 7 },
  { outcome: 'stored', n: 7 },
]
const effects = { counts, findings: { matches: new Map([['A', 1]]) }, opened: [] }

/** µs of CPU a batch. */
function cost(sample, isWritten) {
  const waiting = []
  const traces = new BatchTraces({ node: 'n1', sample, onSpans: (spans) => waiting.push(...spans) })
  const before = process.cpuUsage()
  for (let i = 0; i < BATCHES; i++) {
    const batch = { batchId: String(i).padStart(20, '0'), sourceId: 'web', extent: {}, receivedMs: Date.now() }
    const trace = traces.begin(batch)
    if (!trace) continue
    trace.hasRead(chunks)
    for (const step of ['parse', 'enrich', 'detect', 'encode']) trace.step(step, 0.001)
    trace.hasJudged()
    trace.committed(effects)
    trace.step('commit', 0.001)
    trace.end()
    while (waiting.length >= REQUEST) {
      const spans = waiting.splice(0, REQUEST)
      if (isWritten) otlpTraces(spans, { 'service.name': 'caracal' })
    }
  }
  const { user, system } = process.cpuUsage(before)
  return ((user + system) / BATCHES).toFixed(1)
}

cost(1, true)
for (let round = 0; round < 3; round++)
  console.log(`not traced ${cost(0, false)} µs a batch; spans ${cost(1, false)}; spans and their JSON ${cost(1, true)}`)
