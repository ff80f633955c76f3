// A queueing model of the path: posts arrive, and pass stations that share the cores of their machine. What a batch and an event cost at
// each station is measured (costs.mjs); waiting, batches that grow with what waits, and cores that are shared follow from the model.
import { percentile, seeded } from '../lib.mjs'

/** Of everything that needs a core on a machine at once, each gets an equal share. */
const shareOf = (cores, running) => Math.min(1, cores / running)

/**
 * Runs the model.
 *
 * `machines`: name → cores. `stations`: in the order in which a post passes them, each with
 *   `machine`, `servers` (how many batches at once), `perBatchUs`, `perEventUs` (CPU),
 *   `waitUs` (time of a batch that takes no CPU, such as the disk's),
 *   `maxEvents` (of a batch; 0: one post at a time), `everyMs` and `fullEvents` (a batch begins when so much time has passed since the first
 *   that waits, or so many wait).
 * `until`: the station behind which a post counts as done. `aside`: µs of CPU an event on a machine that nothing waits for, on one core at a
 * time (compiling, collecting garbage).
 * `eventsPerSecond(t)`: the rate at t seconds. `perPost`: events of a post.
 *
 * Returns latencies in ms from arrival to the end of each station, the share of time each station was busy, cores in use, and the most
 * events that ever waited.
 */
export function simulate({
  machines,
  stations,
  aside = {},
  until,
  eventsPerSecond,
  perPost,
  seconds,
  warmUpSeconds = 0,
  seed = 1,
}) {
  const random = seeded(seed)
  const endUs = seconds * 1e6
  const found = stations.map(() => ({ waiting: [], events: 0, busy: 0, busyUs: 0, latencies: [] }))
  const jobs = new Set()
  const besides = new Map(Object.keys(aside).map((machine) => [machine, { machine, leftUs: 0 }]))
  const timers = []
  const used = Object.fromEntries(Object.keys(machines).map((name) => [name, 0]))
  const doneAt = stations.findIndex(({ name }) => name === until)
  let now = 0
  let arrived = 0
  let done = 0
  let mostWaiting = 0
  let nextArrival = gap()

  /** Time to the next post: they arrive independently of each other. */
  function gap() {
    return (-Math.log(1 - random()) * 1e6 * perPost) / Math.max(1e-9, eventsPerSecond(now / 1e6))
  }

  function enter(at, posts) {
    const station = stations[at]
    if (!station) return
    const state = found[at]
    for (const post of posts) {
      state.waiting.push({ post, sinceUs: now })
      state.events += perPost
    }
    begin(at)
  }

  function begin(at) {
    const station = stations[at]
    const state = found[at]
    while (state.waiting.length > 0 && state.busy < station.servers) {
      if (station.everyMs && state.events < station.fullEvents) {
        const dueUs = state.waiting[0].sinceUs + station.everyMs * 1000
        if (dueUs > now + 1e-6) {
          timers.push({ atUs: dueUs, run: () => begin(at) })
          return
        }
      }
      const most = Math.max(1, Math.floor((station.maxEvents ?? Number.POSITIVE_INFINITY) / perPost))
      const batch = state.waiting.splice(0, most).map(({ post }) => post)
      const events = batch.length * perPost
      state.events -= events
      state.busy++
      jobs.add({
        machine: station.machine,
        leftUs: station.perBatchUs + events * station.perEventUs,
        end: () => {
          if (station.waitUs) timers.push({ atUs: now + station.waitUs, run: () => leave(at, batch) })
          else leave(at, batch)
        },
      })
    }
  }

  function leave(at, batch) {
    const state = found[at]
    state.busy--
    if (now >= warmUpSeconds * 1e6) for (const post of batch) state.latencies.push((now - post.atUs) / 1000)
    if (at === doneAt) done += batch.length * perPost
    enter(at + 1, batch)
    begin(at)
  }

  while (now < endUs) {
    const running = {}
    for (const { machine } of jobs) running[machine] = (running[machine] ?? 0) + 1
    let stepUs = Math.min(nextArrival, endUs - now)
    for (const { atUs } of timers) stepUs = Math.min(stepUs, Math.max(0, atUs - now))
    for (const job of jobs) stepUs = Math.min(stepUs, job.leftUs / shareOf(machines[job.machine], running[job.machine]))
    now += stepUs
    nextArrival -= stepUs
    for (const [name, n] of Object.entries(running)) used[name] += stepUs * Math.min(n, machines[name])
    for (const state of found) if (state.busy > 0) state.busyUs += stepUs
    const ended = []
    for (const job of jobs) {
      job.leftUs -= stepUs * shareOf(machines[job.machine], running[job.machine])
      if (job.leftUs <= 1e-6) ended.push(job)
    }
    for (const job of ended) {
      jobs.delete(job)
      job.end?.()
    }
    const due = timers.filter(({ atUs }) => atUs <= now + 1e-6)
    if (due.length > 0) {
      const later = timers.filter(({ atUs }) => atUs > now + 1e-6)
      timers.length = 0
      timers.push(...later)
      for (const { run } of due) run()
    }
    if (nextArrival <= 1e-6) {
      arrived += perPost
      for (const [machine, us] of Object.entries(aside)) {
        const job = besides.get(machine)
        job.leftUs += us * perPost
        jobs.add(job)
      }
      enter(0, [{ atUs: now }])
      nextArrival = gap()
    }
    mostWaiting = Math.max(mostWaiting, arrived - done)
  }
  return {
    arrived,
    done,
    mostWaiting,
    coresUsed: Object.fromEntries(Object.entries(used).map(([name, us]) => [name, us / endUs])),
    stations: stations.map(({ name }, at) => ({
      name,
      busy: found[at].busyUs / endUs,
      p50Ms: found[at].latencies.length > 0 ? percentile(found[at].latencies, 0.5) : undefined,
      p99Ms: found[at].latencies.length > 0 ? percentile(found[at].latencies, 0.99) : undefined,
      meanMs: found[at].latencies.reduce((sum, ms) => sum + ms, 0) / Math.max(1, found[at].latencies.length),
    })),
  }
}
