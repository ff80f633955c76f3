import type { Page } from 'playwright-core'

/** The texts of a row of a result, counted from 0. */
export const cells = (page: Page, row: number): Promise<string[]> =>
  page
    .locator(`[aria-rowindex="${row + 2}"] [role=cell]`)
    .evaluateAll((all) => all.map((cell) => (cell as { textContent: string }).textContent))
