import { Anchor, Breadcrumbs, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type Answer, ApiProblem, call } from '../../api/client.ts'
import { DataPage } from '../../parts/data-page.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Failure } from '../../parts/failure.tsx'
import { counted } from '../../parts/number.ts'
import { useVolumes } from '../../parts/volume.ts'
import { useSession } from '../../session/session.tsx'
import { Fields } from './fields.tsx'
import { SchemaEditor } from './schema-editor.tsx'
import { tableOf } from './table-name.ts'
import { UnknownFields } from './unknown-fields.tsx'

export type SchemaFile = Answer<'GET /api/v1/schemas/{name}'>

const route = getRouteApi('/schemas/$name')

/** One log type: its fields, its events, and the file of its schema. */
export function SchemaPage() {
  const { name } = route.useParams()
  const volumes = useVolumes()
  const schema = useQuery({
    queryKey: ['schemas', name],
    queryFn: ({ signal }) => call('GET /api/v1/schemas/{name}', { path: { name }, signal }),
  })
  // Log types that Caracal knows without a file have fields all the same.
  const hasNoFile = schema.error instanceof ApiProblem && schema.error.status === 404
  if (schema.error && !hasNoFile) return <Failure error={schema.error} onRetry={() => void schema.refetch()} />
  const events = volumes?.get(name) ?? 0
  return (
    <DataPage title={name}>
      <Breadcrumbs>
        <Anchor renderRoot={(props) => <Link to="/schemas" {...props} />}>Schemas</Anchor>
        <Text c="dimmed" className="foreign">
          {name}
        </Text>
      </Breadcrumbs>
      <FactList
        facts={[
          ['Events', <Events key="events" logType={name} count={volumes && events} />],
          [
            'File',
            schema.data ? `${schema.data.root}/${schema.data.path}` : schema.isPending ? '…' : 'none: it is part of Caracal',
          ],
        ]}
      />
      {schema.data && <SchemaEditor key={schema.data.revision} schema={schema.data} />}
      {schema.isPending ? (
        <Skeleton height="20rem" aria-busy="true" />
      ) : (
        <>
          <UnknownFields logType={name} hasFile={!hasNoFile} />
          <Fields logType={name} />
        </>
      )}
    </DataPage>
  )
}

interface EventsProps {
  readonly logType: string
  /** `undefined`: not counted yet. */
  readonly count: number | undefined
}

function Events({ logType, count }: EventsProps) {
  const { may } = useSession()
  if (!may('events:read')) return 'not for this account'
  if (count === undefined) return '…'
  return (
    <Anchor renderRoot={(props) => <Link to="/search" search={{ sql: sqlOf(logType) }} {...props} />}>
      {counted(count, 'event')} in the last day
    </Anchor>
  )
}

function sqlOf(logType: string): string {
  return `SELECT * FROM ${tableOf(logType)} ORDER BY p_event_time DESC LIMIT 100`
}
