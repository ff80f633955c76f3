import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { longestTasks } from './tasks.ts'

/** Processor time after which a page feels stuck, in milliseconds. */
const MAX_TASK_MS = 50
const MAX_ROWS = 200

const MOST_ROWS_SEEN = `
  window.mostRows = 0
  window.longest = 0
  new MutationObserver(() => { window.mostRows = Math.max(window.mostRows, document.querySelectorAll('[role=row]').length) })
    .observe(document.body, { childList: true, subtree: true })
  new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration) })
    .observe({ type: 'longtask' })`

/** Scrolls down in steps, a step for each frame. */
const SCROLL = `new Promise((done) => {
  const place = document.querySelector('section[aria-label="Rows"]')
  place.scrollTop = 0
  let steps = 0
  const step = () => {
    place.scrollTop += steps % 40 === 39 ? place.scrollHeight / 12 : 90
    if (++steps < 400) requestAnimationFrame(step)
    else done()
  }
  step()
})`

/** Scrolls through the rows of a result, and expects that the page has few of them at a time and never hangs. */
export async function scrollSmoothly(page: Page): Promise<void> {
  await page.evaluate(MOST_ROWS_SEEN)
  const longest = await longestTasks(page, MAX_TASK_MS, () => page.evaluate(SCROLL) as Promise<void>)
  const [mostRows, clock] = (await page.evaluate('[window.mostRows, window.longest]')) as [number, number]
  const times = longest.map((ms) => ms.toFixed(1)).join(', ')
  console.log(
    `scrolling: the longest task of each run took ${times} ms of the processor (${clock} ms by the clock), with at most ${mostRows} rows in the page`,
  )
  expect(mostRows).toBeGreaterThan(10)
  expect(mostRows).toBeLessThanOrEqual(MAX_ROWS)
  expect(Math.min(...longest)).toBeLessThan(MAX_TASK_MS)
}
