import { splitJsonArray } from '../util/json-spans.ts'
import { printable } from '../util/terminal.ts'
import { type Cell, canFit, columns } from './columns.ts'
import type { Io } from './io.ts'

/** A result as a table for a terminal. */
export async function printTable(names: readonly string[], lines: AsyncIterable<string>, io: Io): Promise<void> {
  const cells: { text: string; isNumber: boolean }[][] = []
  for await (const row of lines)
    cells.push(
      valuesOf(row).map((value) => ({
        text: value.startsWith('"') ? (JSON.parse(value) as string) : value,
        isNumber: /^-?\d/.test(value),
      })),
    )
  const shown = canFit(names.length, io.columns) ? columns(names, cells, io.columns) : blocks(names, cells)
  await io.write(`${shown.join('\n')}\n`)
}

/** If there are more columns than fit on a line, each row is a block, without null or empty values. */
function blocks(names: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const width = Math.max(...names.map((name) => name.length))
  return rows.flatMap((row, n) => [
    `--- row ${n + 1}`,
    ...row.flatMap(({ text }, i) => (EMPTY.includes(text) ? [] : [`${printable(names[i]!).padEnd(width)}  ${printable(text)}`])),
  ])
}

const EMPTY = ['null', '[]', '']

/** The exact text of a row's values. */
function valuesOf(row: string): string[] {
  return splitJsonArray(row).elements.map(({ start, end }) => row.slice(start, end))
}
