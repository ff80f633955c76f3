import type { Page } from 'playwright-core'

/** How much slower the processor of the page is made, as Lighthouse does for a phone. */
const SLOWER = 4

/** What a first visit of a page costs, with nothing in the browser's cache. */
export interface Figures {
  readonly name: string
  /** Of files and of answers, as they are sent. */
  readonly bytes: number
  readonly requests: number
  /** Until something is painted, and until the page has its heading and no placeholder is left. On a slow processor, in milliseconds. */
  readonly firstMs: number
  readonly usefulMs: number
  /** Of all tasks longer than 50 ms, what is above that. */
  readonly blockedMs: number
  /** Cumulative layout shift. */
  readonly shift: number
}

const WATCH = `
  window.figures = { first: 0, useful: 0, blocked: 0, shift: 0 }
  const watch = (type, each) => new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true })
  watch('paint', ({ name, startTime }) => { if (name === 'first-contentful-paint') window.figures.first = startTime })
  watch('longtask', ({ duration }) => { window.figures.blocked += Math.max(0, duration - 50) })
  watch('layout-shift', ({ value, hadRecentInput }) => { if (!hadRecentInput) window.figures.shift += value })
  let isWaiting = true
  new MutationObserver(() => {
    const isUseful = document.querySelector('h1') !== null && document.querySelector('[aria-busy="true"], [data-visible="true"].mantine-Skeleton-root') === null
    if (isUseful && isWaiting) window.figures.useful = performance.now()
    isWaiting = !isUseful
  }).observe(document, { childList: true, subtree: true, attributes: true })`

interface Watched {
  readonly first: number
  readonly useful: number
  readonly blocked: number
  readonly shift: number
}

/** Visits a page in a browser that has not been there, and measures it. */
export async function figuresOf(page: Page, name: string, url: string, settled: () => Promise<void>): Promise<Figures> {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER })
  let [bytes, requests] = [0, 0]
  session.on('Network.requestWillBeSent', () => requests++)
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength
  })
  await page.addInitScript(WATCH)
  await page.goto(url)
  await settled()
  const { first, useful, blocked, shift } = (await page.evaluate('window.figures')) as Watched
  return { name, bytes, requests, firstMs: first, usefulMs: Math.max(first, useful), blockedMs: blocked, shift }
}

/** The figures as a table in Markdown. */
export function tableOf(all: readonly Figures[]): string {
  const lines = all.map(
    ({ name, bytes, requests, firstMs, usefulMs, blockedMs, shift }) =>
      `| ${name} | ${Math.round(bytes / 1000)} | ${requests} | ${firstMs.toFixed(0)} | ${usefulMs.toFixed(0)} | ${blockedMs.toFixed(0)} | ${shift.toFixed(3)} |`,
  )
  return [
    `First visits, on a processor ${SLOWER} times slower:`,
    '| page | kB | requests | first content, ms | useful, ms | blocked, ms | layout shift |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}
