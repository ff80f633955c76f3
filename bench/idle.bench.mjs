// The cost of an idle Caracal: the share of one core that its processes take, with shipped content and a source that listens.
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { cpuByCommand, family, machine, startCaracal } from './lib.mjs'

const SETTLE_MS = Number(process.env.BENCH_SETTLE_MS ?? 30_000)
const MEASURE_MS = Number(process.env.BENCH_IDLE_MS ?? 60_000)

/** Context switches so far, by command: wake-ups show here before they show as CPU time, which is counted in hundredths of a second. */
const wakes = (pid) =>
  family(pid).reduce((sum, [p]) => {
    const status = readFileSync(`/proc/${p}/status`, 'utf8')
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0)
  }, 0)

const caracal = await startCaracal({ sources: [{ type: 'http', id: 'bench' }] })
await setTimeout(SETTLE_MS)
const [before, wokenBefore] = [cpuByCommand(caracal.pid), wakes(caracal.pid)]
await setTimeout(MEASURE_MS)
const after = cpuByCommand(caracal.pid)
const shares = Object.entries(after).map(([command, seconds]) => [
  command,
  (seconds - (before[command] ?? 0)) / (MEASURE_MS / 1000),
])
const percent = (share) => `${(100 * share).toFixed(2)} %`
console.log(`\nidle for ${MEASURE_MS / 1000} s\n${machine()}`)
console.log(`  all processes           ${percent(shares.reduce((sum, [, share]) => sum + share, 0))} of a core`)
console.log(`  of it: ${shares.map(([command, share]) => `${command} ${percent(share)}`).join(', ')}`)
console.log(`  main threads woke       ${((wakes(caracal.pid) - wokenBefore) / (MEASURE_MS / 1000)).toFixed(1)} times a second`)
await caracal.stop()
