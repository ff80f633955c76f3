import { Button, Group, Select, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { type Answer, call } from '../../api/client.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Failure } from '../../parts/failure.tsx'
import { counted, number } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'
import { localTime } from '../../parts/time.ts'
import { changesOf, type RowChange } from './row-changes.ts'
import type { Version } from './table.tsx'

type Diff = Pick<Answer<'GET /api/v1/tables/{name}/diff'>, 'counts' | 'added' | 'removed' | 'changed'>

/** Rows of each kind that are read. */
const MOST = 200

interface VersionDiffProps {
  readonly name: string
  readonly versions: readonly Version[]
}

/** Which rows came, went and changed between two versions. */
export function VersionDiff({ name, versions }: VersionDiffProps) {
  // The same rows are the same version, however often they came into force.
  const seen = new Set<string>()
  const stored = versions.filter(({ version, is_stored }) => is_stored && !seen.has(version) && seen.add(version))
  const [chosen, setChosen] = useState({ before: stored[1]?.version ?? null, after: stored[0]?.version ?? null })
  const [ask, setAsk] = useState<{ before: string; after: string }>()
  const diff = useQuery({
    queryKey: ['tables', name, 'diff', ask],
    enabled: ask !== undefined,
    queryFn: ({ signal }) => call('GET /api/v1/tables/{name}/diff', { path: { name }, query: { ...ask!, limit: MOST }, signal }),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  })
  if (stored.length < 2) return null
  const options = stored.map(({ version, since }) => ({ value: version, label: `${version}, since ${localTime(since)}` }))
  const { before, after } = chosen
  return (
    <Section title="What changed between two versions">
      <Group gap="sm" align="flex-end" mb="sm">
        <Select
          size="xs"
          w={340}
          label="From"
          data={options}
          value={before}
          allowDeselect={false}
          onChange={(value) => setChosen({ before: value, after })}
        />
        <Select
          size="xs"
          w={340}
          label="To"
          data={options}
          value={after}
          allowDeselect={false}
          onChange={(value) => setChosen({ before, after: value })}
        />
        <Button
          size="xs"
          variant="default"
          disabled={before === null || after === null || before === after}
          loading={diff.isFetching}
          onClick={() => setAsk({ before: before!, after: after! })}
        >
          Compare
        </Button>
      </Group>
      <div aria-live="polite">
        {diff.error && <Failure error={diff.error} />}
        {diff.data && <Changes diff={diff.data} most={MOST} />}
      </div>
    </Section>
  )
}

const COLUMNS: readonly Column<RowChange>[] = [
  { name: 'Change', value: ({ kind }) => kind },
  { name: 'Key', value: ({ key }) => key, show: ({ key }) => <code>{key}</code> },
  {
    name: 'Values',
    show: ({ values }) =>
      values.map(({ name, before, after }) => (
        <div key={name}>
          <Text span c="dimmed">
            {name}
          </Text>{' '}
          {before !== undefined && (after === undefined ? before : <s>{before}</s>)} {after}
        </div>
      )),
  },
]

/** Rows that differ; `most` of each kind were read. */
export function Changes({ diff, most }: { readonly diff: Diff; readonly most: number }) {
  const { added, removed, changed } = diff.counts
  const rows = changesOf(diff)
  return (
    <>
      <Text mb="xs">
        {counted(added, 'row')} added, {number(removed)} removed, {number(changed)} changed
        {rows.length < added + removed + changed && `. The first ${number(most)} of each kind are shown.`}
      </Text>
      <DataTable
        columns={COLUMNS}
        rows={rows}
        keyOf={({ kind, key }) => `${kind} ${key}`}
        minWidth={560}
        empty="The two versions have the same rows."
      />
    </>
  )
}
