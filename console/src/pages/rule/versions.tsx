import { Badge, Button, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { type Answer, call } from '../../api/client.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Section } from '../../parts/section.tsx'
import { When } from '../../parts/when.tsx'
import { Restore } from './restore.tsx'
import type { RuleDetail } from './rule-data.ts'
import { VersionDiff } from './version-diff.tsx'

export type Version = Answer<'GET /api/v1/rules/{id}/versions'>['results'][number]

/** Versions that are shown, the newest. */
const MOST = 200

/** What the rule was before: who changed it, what, and back to it. */
export function Versions({ rule }: { readonly rule: RuleDetail }) {
  const [shown, setShown] = useState<number>()
  const versions = useQuery({
    queryKey: ['rules', rule.id, 'versions'],
    queryFn: ({ signal }) => call('GET /api/v1/rules/{id}/versions', { path: { id: rule.id }, query: { limit: MOST }, signal }),
  })
  const list = versions.data?.results
  const version = list?.find(({ number }) => number === shown)
  return (
    <Section title="Versions">
      {versions.error && <Failure error={versions.error} onRetry={() => void versions.refetch()} />}
      <DataTable
        columns={columnsOf({ shown, onShow: setShown })}
        rows={list}
        keyOf={({ number }) => String(number)}
        minWidth={560}
        isCut={versions.data != null && versions.data.next !== null}
        empty={<Text c="dimmed">No versions are stored.</Text>}
      />
      {version && list && (
        <>
          <VersionDiff
            key={version.number}
            rule={rule}
            number={version.number}
            previous={list[list.indexOf(version) + 1]?.number}
          />
          <Restore rule={rule} version={version} />
        </>
      )}
    </Section>
  )
}

interface Shown {
  readonly shown: number | undefined
  onShow(number: number | undefined): void
}

function columnsOf({ shown, onShow }: Shown): readonly Column<Version>[] {
  return [
    {
      name: 'In force since',
      value: ({ time }) => time,
      show: ({ time, is_current }) => (
        <Group gap="xs">
          <When time={time} />
          {is_current && <Badge variant="light">As now</Badge>}
        </Group>
      ),
    },
    {
      name: 'By',
      value: ({ by, cause }) => by ?? cause,
      show: ({ by, cause }) => <span className="foreign">{by ?? cause}</span>,
    },
    { name: 'Changed', show: (version) => <span className="foreign">{changedIn(version)}</span> },
    {
      name: ' ',
      show: ({ number, time }) => (
        <Button
          size="compact-xs"
          variant="default"
          aria-expanded={shown === number}
          aria-label={`${shown === number ? 'Hide' : 'Show'} the version of ${time}`}
          onClick={() => onShow(shown === number ? undefined : number)}
        >
          {shown === number ? 'Hide' : 'Show'}
        </Button>
      ),
    },
  ]
}

function changedIn({ files, keys }: Version): string {
  const names = files.map(({ path, change }) => (change === 'changed' ? path : `${path} ${change}`)).join(', ')
  return keys.length > 0 ? `${names}: ${keys.join(', ')}` : names
}
