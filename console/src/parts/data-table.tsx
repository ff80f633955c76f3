import { Button, Skeleton, Table, UnstyledButton } from '@mantine/core'
import { TriangleDownIcon, TriangleUpIcon } from '@radix-ui/react-icons'
import {
  type CellContext,
  type ColumnDef,
  createSortedRowModel,
  rowSortingFeature,
  sortFn_alphanumeric,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { type ReactNode, useMemo, useState } from 'react'
import classes from './data-table.module.css'

/** A column: what its rows are sorted by, and what they show. */
export interface Column<Row> {
  readonly name: string
  /** Sorts the rows; absent: they cannot be sorted by this column. */
  value?(row: Row): string | number | null
  /** Default: the value. */
  show?(row: Row): ReactNode
  /** Numbers are aligned to the right. */
  readonly isNumber?: boolean
}

interface DataTableProps<Row> {
  readonly columns: readonly Column<Row>[]
  /** `undefined` while they are read. */
  readonly rows: readonly Row[] | undefined
  keyOf(row: Row): string
  readonly minWidth?: number
  /** The server has more rows than these. */
  readonly isCut?: boolean
  /** In place of a table without rows. */
  readonly empty: ReactNode
}

/** Rows that are in the page before somebody asks for more. */
const FIRST = 100

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { alphanumeric: sortFn_alphanumeric },
})

/** A table whose rows can be sorted by its columns. */
export function DataTable<Row extends object>({
  columns,
  rows,
  keyOf,
  minWidth = 720,
  isCut = false,
  empty,
}: DataTableProps<Row>) {
  const definitions = useMemo(() => columns.map((column) => definitionOf(column)), [columns])
  const data = useMemo(() => [...(rows ?? [])], [rows])
  const table = useTable({ features, columns: definitions, data, getRowId: keyOf })
  const [most, setMost] = useState(FIRST)
  if (rows === undefined) return <Skeleton height={240} aria-busy="true" />
  if (rows.length === 0) return empty
  return (
    <Table.ScrollContainer minWidth={minWidth}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            {table.getFlatHeaders().map((header) => {
              const { column } = header
              const { isNumber } = columns.find(({ name }) => name === column.id)!
              const order = column.getIsSorted()
              return (
                <Table.Th
                  key={header.id}
                  ta={isNumber ? 'right' : 'left'}
                  aria-sort={order === 'asc' ? 'ascending' : order === 'desc' ? 'descending' : undefined}
                >
                  {column.getCanSort() ? (
                    <UnstyledButton className={classes['sort']!} onClick={column.getToggleSortingHandler()}>
                      {column.id}
                      {order === 'asc' && <TriangleUpIcon />}
                      {order === 'desc' && <TriangleDownIcon />}
                    </UnstyledButton>
                  ) : (
                    column.id
                  )}
                </Table.Th>
              )
            })}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {table
            .getRowModel()
            .rows.slice(0, most)
            .map((row) => (
              <Table.Tr key={row.id}>
                {row.getAllCells().map((cell) => (
                  <Table.Td
                    key={cell.id}
                    ta={columns.find(({ name }) => name === cell.column.id)!.isNumber ? 'right' : 'left'}
                    className="foreign"
                  >
                    <table.FlexRender cell={cell} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
        </Table.Tbody>
      </Table>
      {rows.length > most && (
        <Button size="xs" variant="default" mt="sm" onClick={() => setMost(most + FIRST)}>
          Show {Math.min(FIRST, rows.length - most)} more of {rows.length}
        </Button>
      )}
      {isCut && rows.length <= most && <p>Only the newest {rows.length} are shown.</p>}
    </Table.ScrollContainer>
  )
}

function definitionOf<Row extends object>({ name, value, show }: Column<Row>): ColumnDef<typeof features, Row, unknown> {
  const shown = show ?? value
  return {
    id: name,
    header: name,
    accessorFn: (row) => value?.(row) ?? null,
    enableSorting: value !== undefined,
    cell: ({ row }: CellContext<typeof features, Row, unknown>) => shown?.(row.original),
  }
}
