import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { all, type Item } from '../../api/client.ts'
import { DataPage } from '../../parts/data-page.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Failure } from '../../parts/failure.tsx'
import { counted, number } from '../../parts/number.ts'
import { StateMark } from '../../parts/state.tsx'
import { PackSwitch } from './pack-switch.tsx'

export type Pack = Item<'GET /api/v1/packs'>

const COLUMNS: readonly Column<Pack>[] = [
  { name: 'Pack', value: ({ id }) => id, show: (pack) => <About pack={pack} /> },
  {
    name: 'State',
    value: ({ on }) => (on ? 'on' : 'off'),
    show: ({ on, by, optional }) => (
      <>
        <StateMark tone={on ? 'good' : 'off'}>{on ? 'on' : 'off'}</StateMark>
        <Text size="sm" c="dimmed">
          {by === 'configuration' ? 'by the configuration' : optional ? 'until it is enabled' : 'by default'}
        </Text>
      </>
    ),
  },
  {
    name: 'Rules running',
    value: ({ running }) => running,
    show: ({ running, detections }) => (detections.length === 0 ? '–' : `${number(running)} of ${number(detections.length)}`),
    isNumber: true,
  },
  { name: ' ', show: (pack) => <PackSwitch pack={pack} /> },
]

/** What comes with Caracal and with the content, in parts that are on or off. */
export function Packs() {
  const packs = useQuery({ queryKey: ['packs'], queryFn: ({ signal }) => all('GET /api/v1/packs', signal) })
  if (packs.error) return <Failure error={packs.error} onRetry={() => void packs.refetch()} />
  return (
    <DataPage title="Packs">
      <Text c="dimmed">
        The rules and tables of a pack that is off are not used. Schemas are there whether their pack is on or off.
      </Text>
      <DataTable columns={COLUMNS} rows={packs.data} keyOf={({ id }) => id} empty="No packs" />
    </DataPage>
  )
}

function About({ pack }: { readonly pack: Pack }) {
  const { id, description, detections, tables, schemas, missing } = pack
  const holds = [
    detections.length > 0 && counted(detections.length, 'rule'),
    tables.length > 0 && counted(tables.length, 'table'),
    schemas.length > 0 && counted(schemas.length, 'schema'),
  ].filter((part) => part !== false)
  return (
    <>
      <Text span fw={600}>
        {id}
      </Text>
      <Text size="sm" className="foreign">
        {description}
      </Text>
      {holds.length > 0 && (
        <details>
          <summary>{holds.join(', ')}</summary>
          {detections.map(({ id: rule }) => (
            <div key={rule}>
              <Anchor renderRoot={(props) => <Link to="/detections/$ruleId" params={{ ruleId: rule }} {...props} />}>
                {rule}
              </Anchor>
            </div>
          ))}
          {[...tables, ...schemas].map((name) => (
            <div key={name}>{name}</div>
          ))}
        </details>
      )}
      {missing.length > 0 && (
        <Text size="sm" c="var(--severity-critical)">
          No usable item has these of its ids: {missing.join(', ')}
        </Text>
      )}
    </>
  )
}
