import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call, type Item } from '../../api/client.ts'
import { DataPage } from '../../parts/data-page.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { When } from '../../parts/when.tsx'

type AuditEntry = Item<'GET /api/v1/audit'>

const COLUMNS: readonly Column<AuditEntry>[] = [
  { name: 'Time', value: ({ time }) => time, show: ({ time }) => <When time={time} /> },
  { name: 'Who', value: ({ caller }) => caller, show: ({ caller }) => caller ?? 'nobody' },
  {
    name: 'From',
    value: ({ caller_address }) => caller_address,
    show: ({ caller_address }) => <span className="mono">{caller_address}</span>,
  },
  {
    name: 'Call',
    value: ({ operation }) => operation,
    show: ({ operation, request_path }) => <code>{operation ?? request_path}</code>,
  },
  { name: 'Answer', value: ({ status }) => status, isNumber: true },
  {
    name: 'Detail',
    show: ({ reason, detail }) =>
      reason ?? <code>{detail === null || detail === undefined ? '' : JSON.stringify(detail)?.slice(0, 300)}</code>,
  },
]

export function Audit() {
  const [event, setEvent] = useState<'all' | 'change' | 'refused' | 'signed_in'>('all')
  const audit = useQuery({
    queryKey: ['audit', event],
    queryFn: ({ signal }) => call('GET /api/v1/audit', { query: { limit: 200, ...(event !== 'all' && { event }) }, signal }),
  })
  if (audit.error) return <Failure error={audit.error} onRetry={() => void audit.refetch()} />
  return (
    <DataPage
      title="Audit"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Which"
          value={event}
          onChange={(value) => setEvent(value as typeof event)}
          data={[
            { value: 'all', label: 'All' },
            { value: 'change', label: 'Changes' },
            { value: 'refused', label: 'Refused' },
            { value: 'signed_in', label: 'Sign-ins' },
          ]}
        />
      }
    >
      <DataTable
        columns={COLUMNS}
        rows={audit.data?.results}
        isCut={typeof audit.data?.next === 'string'}
        keyOf={({ time, request_path, caller }) => `${time} ${request_path} ${caller}`}
        empty={<Empty title="Nothing yet">Changes and refused calls are listed here.</Empty>}
      />
    </DataPage>
  )
}
