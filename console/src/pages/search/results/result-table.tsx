import { UnstyledButton } from '@mantine/core'
import { TriangleDownIcon, TriangleUpIcon } from '@radix-ui/react-icons'
import { type CSSProperties, memo, useEffect, useRef, useState } from 'react'
import { ColumnEdge } from './column-edge.tsx'
import { type ResultColumn, type ResultRows, textOf } from './result-rows.ts'
import classes from './result-table.module.css'
import { useRowWindow } from './row-window.ts'

interface ResultTableProps {
  readonly rows: ResultRows
  /** Which columns are shown, by their place. */
  readonly shown: readonly number[]
  /** The column that the rows are sorted by; `-name`: from high to low. */
  readonly sort?: string | undefined
  /** Absent: the rows cannot be sorted. */
  onSort?(sort: string | undefined): void
  onOpen(index: number): void
}

/** A table by its roles: browsers take several times as long for the styles of a real table's cells. */
const AS = {
  table: { role: 'table' },
  rowgroup: { role: 'rowgroup' },
  row: { role: 'row' },
  columnheader: { role: 'columnheader' },
  cell: { role: 'cell' },
} as const

const ROW_HEIGHT = 28
const MOST_CHARS = 300
const CHAR_WIDTH = 7.6

/** Rows of a result. Only those in view are in the page. */
export function ResultTable({ rows, shown, sort, onSort, onOpen }: ResultTableProps) {
  const scroll = useRef<HTMLElement>(null)
  const { height, first, end, topOf } = useRowWindow(scroll, rows.count, ROW_HEIGHT)
  useEffect(() => rows.want(first, end - 1), [rows, first, end])
  const [widths, setWidths] = useState<ReadonlyMap<string, number>>(new Map())
  const natural = useNaturalWidths(rows)
  const width = (i: number) => widths.get(rows.columns[i]!.name) ?? natural[i] ?? 120
  const total = shown.reduce((sum, i) => sum + width(i), 0)
  // The last column takes the room that is left.
  const isFlexible = (i: number) => i === shown.at(-1) && !widths.has(rows.columns[i]!.name)
  const template = shown.map((i) => (isFlexible(i) ? `minmax(${width(i)}px, 1fr)` : `${width(i)}px`)).join(' ')
  const isMeasured = natural.length > 0 || rows.count === 0
  const visibility = isMeasured ? undefined : 'hidden'
  const style = { '--columns': template, '--width': `${total}px`, visibility } as CSSProperties
  const indexes = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which needs the focus.
    <section ref={scroll} className={classes['scroll']} tabIndex={0} aria-label="Rows">
      {/* biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role of a table supports it. */}
      <div
        {...AS.table}
        className={classes['table']}
        aria-rowcount={rows.count + 1}
        aria-colcount={rows.columns.length}
        style={style}
      >
        <div {...AS.rowgroup} className={classes['head']}>
          <div {...AS.row} className={classes['names']}>
            {shown.map((i) => (
              <Head
                key={i}
                column={rows.columns[i]!}
                sort={sort}
                width={width(i)}
                onWidth={(value) => setWidths((before) => new Map(before).set(rows.columns[i]!.name, value))}
                {...(onSort && { onSort })}
              />
            ))}
          </div>
        </div>
        <div {...AS.rowgroup} className={classes['rows']} style={{ height }}>
          {indexes.map((index) => (
            <Row
              key={index}
              index={index}
              top={topOf(index)}
              row={rows.row(index)}
              columns={rows.columns}
              shown={shown}
              onOpen={onOpen}
            />
          ))}
        </div>
      </div>
    </section>
  )
}

interface HeadProps {
  readonly column: ResultColumn
  readonly sort: string | undefined
  readonly width: number
  onSort?(sort: string | undefined): void
  onWidth(width: number): void
}

function Head({ column: { name, type }, sort, width, onSort, onWidth }: HeadProps) {
  const order = sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : undefined
  const next = order === 'ascending' ? `-${name}` : order === 'descending' ? undefined : name
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role of a head supports it.
    <div
      {...AS.columnheader}
      className={classes['name']}
      title={`${name.slice(0, 300)}: ${type.slice(0, 300)}`}
      aria-sort={order}
    >
      {onSort ? (
        <UnstyledButton className={`${classes['sort']} foreign`} onClick={() => onSort(next)}>
          {name.slice(0, MOST_CHARS)}
          {order === 'ascending' && <TriangleUpIcon />}
          {order === 'descending' && <TriangleDownIcon />}
        </UnstyledButton>
      ) : (
        <span className="foreign">{name.slice(0, MOST_CHARS)}</span>
      )}
      <ColumnEdge name={name} width={width} onWidth={onWidth} />
    </div>
  )
}

interface RowProps {
  readonly index: number
  readonly top: number
  readonly row: readonly unknown[] | undefined
  readonly columns: readonly ResultColumn[]
  readonly shown: readonly number[]
  onOpen(index: number): void
}

const Row = memo(function Row({ index, top, row, columns, shown, onOpen }: RowProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the button in the first cell is for the keyboard.
    // biome-ignore lint/a11y/noStaticElementInteractions: the same.
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role of a row supports it.
    <div
      {...AS.row}
      aria-rowindex={index + 2}
      className={classes['row']}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => isSelecting() || onOpen(index)}
    >
      {shown.map((i, place) => {
        const column = columns[i]!
        const shownValue = row === undefined ? '…' : (column.show?.(row[i]) ?? textOf(row[i]).slice(0, MOST_CHARS))
        return (
          <div {...AS.cell} key={i} className={`${classes['cell']} foreign`}>
            {place === 0 ? (
              <UnstyledButton className={classes['open']!} aria-haspopup="dialog">
                {shownValue === '' ? '\u00a0' : shownValue}
              </UnstyledButton>
            ) : (
              shownValue
            )}
          </div>
        )
      })}
    </div>
  )
})

/** Somebody has just marked text, to copy it. */
function isSelecting(): boolean {
  return getSelection()?.isCollapsed === false
}

/** Widths that suit the first rows, in pixels. They stay: columns must not jump while somebody scrolls. */
function useNaturalWidths(rows: ResultRows): readonly number[] {
  const known = useRef<{ readonly names: string; readonly widths: readonly number[] }>(undefined)
  // By name: the answer that tells of the columns is read again while the query runs.
  const names = JSON.stringify(rows.columns.map(({ name }) => name))
  if (known.current?.names !== names && rows.row(0) !== undefined)
    known.current = { names, widths: rows.columns.map((column, i) => widthOf(column, rows, i)) }
  return known.current?.names === names ? known.current.widths : []
}

/** Pixels. */
function widthOf({ name }: ResultColumn, rows: ResultRows, column: number): number {
  let most = Math.min(40, name.length)
  for (let i = 0; i < Math.min(50, rows.count); i++) {
    const row = rows.row(i)
    if (row) most = Math.max(most, Math.min(48, textOf(row[column]).length))
  }
  return Math.round((most + 4) * CHAR_WIDTH)
}
