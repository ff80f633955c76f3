import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Section } from '../../parts/section.tsx'
import { useSession } from '../../session/session.tsx'
import { tableOf } from './table-name.ts'

interface Field {
  readonly name: string
  readonly type: string
}

const COLUMNS: readonly Column<Field>[] = [
  { name: 'Field', value: ({ name }) => name, show: ({ name }) => <code>{name}</code> },
  { name: 'Type in SQL', value: ({ type }) => type, show: ({ type }) => <code>{type}</code> },
]

/** The columns of the log type's table, without those that every table has. */
export function Fields({ logType }: { readonly logType: string }) {
  const { may } = useSession()
  const fields = useQuery({
    queryKey: ['fields', logType],
    enabled: may('events:read'),
    queryFn: async ({ signal }) => {
      const [database, table] = tableOf(logType).split('.')
      const sql = `SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = '${database}' AND table_name = '${table}' AND NOT startsWith(column_name, 'p_') ORDER BY ordinal_position`
      const { rows } = await call('POST /api/v1/query', { body: { sql }, signal })
      return rows.map(([name, type]) => ({ name: String(name), type: String(type) }))
    },
    staleTime: 60_000,
    retry: false,
  })
  if (!may('events:read') || fields.error) return null
  return (
    <Section title="Fields">
      <DataTable
        columns={COLUMNS}
        rows={fields.data}
        keyOf={({ name }) => name}
        minWidth={360}
        empty={<Text c="dimmed">No event of this log type is stored yet.</Text>}
      />
    </Section>
  )
}
