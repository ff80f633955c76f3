// From receipt of a single posted event to its committed alert row: 500 posts, each opening its own alert.
import { connLine, machine, memory, percentile, startCaracal, writeRuleForEach } from './lib.mjs'

const POSTS = 500

const caracal = await startCaracal(
  { sources: [{ type: 'http', id: 'bench', log_types: ['Zeek.Conn'] }], content: ['content'] },
  writeRuleForEach,
)
console.log(`\nlatency: started in ${caracal.startMs.toFixed(0)} ms, first answer included\n${machine()}`)
await new Promise((resolve) => setTimeout(resolve, 5000))
const idle = memory(caracal.pid)
console.log(
  `  idle memory: ${idle.map(({ command, mib }) => `${command || 'node'} ${mib} MiB`).join(', ')}; together ${idle.reduce((n, { mib }) => n + mib, 0)} MiB`,
)
for (let i = 0; i < POSTS; i++) {
  await caracal.post('bench', `${connLine(i).replace(/"id\.resp_p":\d+/, '"id.resp_p":4444')}\n`)
  await new Promise((resolve) => setTimeout(resolve, 10))
}
for (;;) {
  const text = await caracal.metrics()
  const made = Number(/caracal_alert_latency_seconds_count (\d+)/.exec(text)?.[1] ?? 0)
  if (made >= POSTS) break
  await new Promise((resolve) => setTimeout(resolve, 50))
}
const latencies = []
let cursor = ''
do {
  const page = await caracal.get(`/api/v1/alerts?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
  for (const alert of page.results) latencies.push(alert.latency_ms)
  cursor = page.next ?? ''
} while (cursor)
console.log(
  `  ${latencies.length} single posts: received → alert p50 ${percentile(latencies, 0.5)} ms, p99 ${percentile(latencies, 0.99)} ms, worst ${Math.max(...latencies)} ms`,
)
await caracal.stop()
