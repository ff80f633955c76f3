import { printable } from '../util/terminal.ts'

/** A cell: untrusted text, and how to style it once its width is known. */
export interface Cell {
  readonly text: string
  readonly paint?: (padded: string) => string
  /** Numbers are right-aligned. */
  readonly isNumber?: boolean
}

/** Minimum width of a column when the terminal is too narrow for all. */
const LEAST_WIDTH = 8
const GAP = '  '
/** Longer cells are truncated before their width is measured. */
const MOST_CHARS = 1000

/** Lines of a table, with cells truncated so that lines fit `width` columns. Untrusted text is made safe. */
export function columns(head: readonly string[], rows: readonly (readonly Cell[])[], width: number): string[] {
  const texts = rows.map((row) => row.map(({ text }) => printable(text.slice(0, MOST_CHARS))))
  const widths = fitted(
    head.map((title, i) => texts.reduce((most, row) => Math.max(most, widthOf(row[i]!)), widthOf(title))),
    width - GAP.length * (head.length - 1),
  )
  const isNumber = head.map((_, i) => rows.length > 0 && rows.every((row) => row[i]!.isNumber))
  const line = (cells: readonly string[], paints: readonly ((text: string) => string)[]) =>
    cells
      .map((text, i) => {
        const isLast = i === cells.length - 1
        return paints[i]!(pad(cut(text, widths[i]!), widths[i]!, isNumber[i]!, isLast))
      })
      .join(GAP)
  const plain = (text: string) => text
  return [
    line(
      head.map(printable),
      head.map(() => plain),
    ),
    ...texts.map((cells, r) =>
      line(
        cells,
        rows[r]!.map(({ paint }) => paint ?? plain),
      ),
    ),
  ]
}

/** True if this many columns fit a line of `width` when truncated to the minimum. */
export function canFit(columnCount: number, width: number): boolean {
  return columnCount * (LEAST_WIDTH + GAP.length) - GAP.length <= width
}

/** Shrinks the widest columns until all fit. */
function fitted(wanted: readonly number[], width: number): number[] {
  const widths = [...wanted]
  for (let over = sum(widths) - width; over > 0; over = sum(widths) - width) {
    const widest = Math.max(...widths)
    if (widest <= LEAST_WIDTH) break
    const at = widths.lastIndexOf(widest)
    const next = Math.max(LEAST_WIDTH, ...widths.filter((w) => w < widest))
    widths[at] = Math.max(next, widest - over, LEAST_WIDTH)
    if (widths[at] === widest) widths[at] = widest - 1
  }
  return widths
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  return `${[...text].slice(0, width - 1).join('')}…`
}

function pad(text: string, width: number, isRight: boolean, isLast: boolean): string {
  const fill = ' '.repeat(Math.max(0, width - widthOf(text)))
  return isRight ? fill + text : isLast ? text : text + fill
}

/** Code points: good enough for columns. */
function widthOf(text: string): number {
  return [...text].length
}
