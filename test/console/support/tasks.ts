import type { Browser, Page } from 'playwright-core'

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  /** Microseconds on the clock, and of processor time. */
  readonly dur?: number
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

/** The processor time in ms of each task of a page's main thread while `work` runs: what keeps it from answering. */
export async function tasksDuring(page: Page, work: () => Promise<void>): Promise<number[]> {
  const browser = page.context().browser() as Browser
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'] })
  await work()
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString('utf8')) as { traceEvents: TraceEvent[] }
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ tid, pid }) => `${pid} ${tid}`),
  )
  return traceEvents
    .filter(({ name, ph, pid, tid }) => /RunTask$/.test(name) && ph === 'X' && main.has(`${pid} ${tid}`))
    .map(({ dur, tdur }) => (tdur ?? dur ?? 0) / 1000)
}

/** Runs after which a page counts as slow. */
const RUNS = 4

/**
 * The longest task of each run of `work`, in ms of processor time, until one stays below `limitMs`. What a page does too slowly takes long in
 * each run; what a collection of garbage adds, or a machine that is busy just then, does not.
 */
export async function longestTasks(page: Page, limitMs: number, work: () => Promise<void>): Promise<number[]> {
  const longest: number[] = []
  while (longest.length < RUNS && !longest.some((ms) => ms < limitMs)) {
    const tasks = await tasksDuring(page, work)
    if (tasks.length === 0) throw new Error('the browser has recorded no tasks')
    longest.push(Math.max(...tasks))
  }
  return longest
}
