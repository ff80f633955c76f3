import { Anchor, Breadcrumbs, Button, Group, Skeleton, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { type Answer, call } from '../../api/client.ts'
import { DataPage } from '../../parts/data-page.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Failure } from '../../parts/failure.tsx'
import { JsonTree } from '../../parts/json-tree.tsx'
import { bytes, number } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'
import { When } from '../../parts/when.tsx'
import { useSession } from '../../session/session.tsx'
import { RefreshButton } from './refresh-button.tsx'
import { UploadVersion } from './upload-version.tsx'
import { VersionDiff } from './version-diff.tsx'
import { RemoveRow, WriteRow } from './write-row.tsx'

export type Version = TableDetail['versions'][number]

type Refresh = TableDetail['refreshes'][number]

type TableDetail = Answer<'GET /api/v1/tables/{name}'>

/** A form with more columns would be no help. */
const MOST_COLUMNS = 20

const route = getRouteApi('/tables/$name')

const VERSIONS: readonly Column<Version>[] = [
  { name: 'Version', value: ({ version }) => version, show: ({ version }) => <code>{version}</code> },
  { name: 'In force since', value: ({ since }) => since, show: ({ since }) => <When time={since} /> },
  { name: 'By', value: ({ by }) => by, show: ({ by, origin }) => by ?? (origin === 'fetched' ? 'its provider' : 'its file') },
  { name: 'Until', value: ({ until }) => until, show: ({ until }) => (until === null ? 'now' : <When time={until} />) },
  { name: 'Rows', value: ({ rows }) => rows, show: ({ rows }) => (rows === null ? '–' : number(rows)), isNumber: true },
  {
    name: 'Size',
    value: (version) => version.bytes,
    show: (version) => (version.bytes === null ? '–' : bytes(version.bytes)),
    isNumber: true,
  },
]

const REFRESHES: readonly Column<Refresh>[] = [
  { name: 'Outcome', value: ({ outcome }) => outcome },
  { name: 'First', value: ({ time }) => time, show: ({ time }) => <When time={time} /> },
  { name: 'Last', value: ({ last_time }) => last_time, show: ({ last_time }) => <When time={last_time} /> },
  { name: 'Times', value: ({ times }) => times, show: ({ times }) => number(times), isNumber: true },
  { name: 'Message', show: ({ message }) => message },
]

export function TablePage() {
  const { name } = route.useParams()
  const { may } = useSession()
  const mayEdit = may('content:change')
  const table = useQuery({
    queryKey: ['tables', name],
    queryFn: ({ signal }) => call('GET /api/v1/tables/{name}', { path: { name }, signal }),
  })
  if (table.error) return <Failure error={table.error} onRetry={() => void table.refetch()} />
  const detail = table.data
  return (
    <DataPage title={name} aside={detail && <RefreshButton name={name} state={detail.state} size="xs" />}>
      <Breadcrumbs>
        <Anchor renderRoot={(props) => <Link to="/tables" {...props} />}>Tables</Anchor>
        <Text c="dimmed">{name}</Text>
      </Breadcrumbs>
      {!detail && <Skeleton height="16rem" />}
      {detail && (
        <>
          <Text className="foreign">{detail.description}</Text>
          {detail.problem !== null && <Text c="var(--severity-critical)">{detail.problem}</Text>}
          <FactList
            facts={[
              ['State', detail.state],
              ['Key', detail.primary_key.join(', ')],
              ['Provider', detail.provider],
              [
                'Refreshed',
                detail.refreshed_time !== null && (
                  <>
                    <When time={detail.refreshed_time} as="age" /> ago
                  </>
                ),
              ],
              ['Next', detail.next_refresh_time !== null && <When time={detail.next_refresh_time} />],
              ['Rows', number(detail.rows)],
            ]}
          />
          <LookUp name={name} canEdit={mayEdit && detail.editing.read_only === null} />
          {mayEdit && <Editing detail={detail} />}
          <Section title="Versions">
            <DataTable
              columns={VERSIONS}
              rows={detail.versions}
              keyOf={({ version, since }) => `${version} ${since}`}
              empty="None yet"
            />
          </Section>
          <VersionDiff key={detail.version} name={name} versions={detail.versions} />
          <Section title="Refreshes">
            <DataTable
              columns={REFRESHES}
              rows={detail.refreshes}
              keyOf={({ time, outcome }) => `${time} ${outcome}`}
              empty="None yet"
            />
          </Section>
        </>
      )}
    </DataPage>
  )
}

/** Changes to the rows, if they are in a file of the content. */
function Editing({ detail }: { readonly detail: TableDetail }) {
  const { name, editing, primary_key: primaryKey } = detail
  if (editing.read_only !== null) return <Text c="dimmed">{editing.read_only}</Text>
  const canAdd = editing.columns.length > 0 && editing.columns.length <= MOST_COLUMNS
  return (
    <>
      {editing.copied && (
        <Text c="dimmed">
          This table comes with Caracal. Its first change writes a copy into your content folder, which then counts in its place.
        </Text>
      )}
      {canAdd && <WriteRow name={name} columns={editing.columns} primaryKey={primaryKey} />}
      <UploadVersion name={name} />
    </>
  )
}

/** What the table says about a key, now or at an earlier time. */
function LookUp({ name, canEdit }: { readonly name: string; readonly canEdit: boolean }) {
  const [typed, setTyped] = useState({ key: '', asOf: '' })
  const [ask, setAsk] = useState<typeof typed>()
  const found = useQuery({
    queryKey: ['tables', name, 'row', ask],
    enabled: ask !== undefined,
    queryFn: ({ signal }) =>
      call('GET /api/v1/tables/{name}/row', {
        path: { name },
        query: { key: ask!.key, as_of: ask!.asOf === '' ? undefined : new Date(ask!.asOf).toISOString() },
        signal,
      }),
    retry: false,
  })
  return (
    <Section title="Look up">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          setAsk(typed)
        }}
      >
        <Group align="flex-end" gap="sm">
          <TextInput
            label="Key"
            required
            w={260}
            value={typed.key}
            onChange={(event) => setTyped({ ...typed, key: event.currentTarget.value })}
          />
          <TextInput
            label="As of"
            type="datetime-local"
            value={typed.asOf}
            onChange={(event) => setTyped({ ...typed, asOf: event.currentTarget.value })}
          />
          <Button type="submit" variant="default">
            Look up
          </Button>
        </Group>
      </form>
      {found.error && <Failure error={found.error} />}
      {found.data && (
        <div aria-live="polite">
          <Text mt="sm">
            {found.data.row === null ? 'Not in the table' : 'In the table'}
            {found.data.version !== null && (
              <Text span c="dimmed">
                {' '}
                (version {found.data.version})
              </Text>
            )}
          </Text>
          {found.data.row !== null && <JsonTree value={found.data.row} />}
          {canEdit && found.data.row !== null && ask?.asOf === '' && (
            <RemoveRow name={name} rowKey={ask.key} onDone={() => void found.refetch()} />
          )}
        </div>
      )}
    </Section>
  )
}
