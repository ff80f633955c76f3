import { Table } from '@mantine/core'
import { number } from '../../parts/number.ts'
import { isNumber, type PanelData } from './panel-data.ts'

const MOST_ROWS = 50
const MOST_COLUMNS = 12
const MOST_CHARS = 200

export function TablePanel({ data: { columns, rows } }: { readonly data: PanelData }) {
  const shown = columns
    .slice(0, MOST_COLUMNS)
    .map(({ name, type }, i) => ({ key: `${i} ${name}`, name, isNumber: isNumber(type), i }))
  return (
    <Table.ScrollContainer minWidth={shown.length * 90}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            {shown.map(({ key, name, isNumber }) => (
              <Table.Th key={key} ta={isNumber ? 'right' : 'left'} className="foreign">
                {name.slice(0, 100)}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.slice(0, MOST_ROWS).map((row, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of a result have nothing else.
            <Table.Tr key={place}>
              {shown.map(({ key, isNumber, i }) => (
                <Table.Td key={key} ta={isNumber ? 'right' : 'left'} className="foreign">
                  {cellOf(row[i], isNumber).slice(0, MOST_CHARS)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function cellOf(value: unknown, isNumber: boolean): string {
  if (value === null || value === undefined) return ''
  if (isNumber) return number(Number(value))
  return typeof value === 'string' ? value : JSON.stringify(value)
}
