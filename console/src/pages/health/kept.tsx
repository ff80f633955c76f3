import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type Answer, call } from '../../api/client.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Failure } from '../../parts/failure.tsx'
import { bytes, counted, number } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'
import { When } from '../../parts/when.tsx'

type Kept = Answer<'GET /api/v1/retention'>
type LogType = Kept['log_types'][number]

const COLUMNS: readonly Column<LogType>[] = [
  { name: 'Log type', value: ({ log_type }) => log_type },
  { name: 'On disk', value: (one) => one.bytes, show: (one) => bytes(one.bytes), isNumber: true },
  { name: 'Events and matches', value: ({ rows }) => rows, show: ({ rows }) => number(rows), isNumber: true },
  { name: 'Oldest from', value: ({ since }) => since },
  {
    name: 'Kept for',
    value: ({ days }) => days,
    show: ({ days }) => (days === null ? 'forever' : counted(days, 'day')),
    isNumber: true,
  },
]

/** What the lake costs in disk, how long what is in it is kept, and what was deleted. */
export function WhatIsKept() {
  const kept = useQuery({
    queryKey: ['retention'],
    queryFn: ({ signal }) => call('GET /api/v1/retention', { signal }),
    refetchInterval: 60_000,
  })
  if (kept.error) return <Failure error={kept.error} onRetry={() => void kept.refetch()} />
  return (
    <Section title="Disk" aside={kept.data && <Text size="sm">The lake takes {bytes(kept.data.bytes)}</Text>}>
      <DataTable
        columns={COLUMNS}
        rows={kept.data?.log_types}
        keyOf={({ log_type }) => log_type}
        empty={<Text c="dimmed">Nothing is stored yet.</Text>}
      />
      {kept.data && <LastRun kept={kept.data} />}
    </Section>
  )
}

function LastRun({ kept: { last_run_time: time, failed, deleted } }: { readonly kept: Kept }) {
  return (
    <>
      {time !== null && (
        <Text size="sm" c="dimmed" mt="xs">
          Retention last ran on <When time={time} />
          {deleted.length > 0 && <>; the last it deleted is {deleted[0]!.name}</>}.
        </Text>
      )}
      {failed.map((problem) => (
        <Text key={problem} size="sm" c="var(--severity-critical)" className="foreign">
          {problem}
        </Text>
      ))}
    </>
  )
}
