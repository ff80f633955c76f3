import { Anchor, Loader, Skeleton, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type CSSProperties, lazy, type ReactNode, Suspense } from 'react'
import { BarPanel } from './bar-panel.tsx'
import { type Panel, type PanelPlace, type Times, usePanel } from './dashboard-data.ts'
import { LinePanel } from './line-panel.tsx'
import { NumberPanel } from './number-panel.tsx'
import classes from './panel.module.css'
import type { PanelData } from './panel-data.ts'
import { TablePanel } from './table-panel.tsx'

const MapPanel = lazy(() => import('./map-panel.tsx'))

/** Of twelve columns. */
const SPANS: Readonly<Record<Panel['size'], number>> = { small: 3, medium: 6, large: 12 }
const HEIGHTS: Readonly<Record<Panel['kind'], number>> = { number: 50, line: 202, bar: 200, table: 200, map: 300 }

interface PanelCardProps {
  readonly panel: Panel
  readonly times: Times
  readonly round: number
  /** Absent: it is not saved yet. */
  readonly place?: PanelPlace
  /** Beside the title. */
  readonly children?: ReactNode
}

/** A panel with its result. Its title leads to the query. */
export function PanelCard({ panel, times, round, place, children }: PanelCardProps) {
  const found = usePanel(panel, times, round, place)
  const { title, kind, size, search } = panel
  return (
    <section className={classes['panel']} style={{ '--span': SPANS[size] } as CSSProperties} aria-label={title}>
      <div className={classes['head']}>
        <Text component="h2" fw={600} size="sm" className="foreign">
          {found.data ? (
            <Anchor
              inherit
              c="inherit"
              renderRoot={(props) => (
                <Link
                  to="/search"
                  search={{
                    tab: 'sql',
                    sql: found.data.sql,
                    job: found.data.id,
                    ...times,
                    ...(search !== null && { saved: search }),
                  }}
                  {...props}
                />
              )}
            >
              {title}
            </Anchor>
          ) : (
            title
          )}
          {found.isFetching && found.data && <Loader size={10} ml="xs" aria-label="Reading" />}
        </Text>
        {children}
      </div>
      <div className={classes['body']} style={{ minHeight: HEIGHTS[kind] }} tabIndex={kind === 'number' ? undefined : 0}>
        {found.error && !found.isFetching ? (
          <Text c="dimmed" size="sm" role="alert" lineClamp={4} title={found.error.message}>
            {explained(found.error.message)}
          </Text>
        ) : !found.data ? (
          <Skeleton height={HEIGHTS[kind]} aria-busy="true" />
        ) : (
          <Body panel={panel} data={found.data} />
        )}
      </div>
    </section>
  )
}

/** A log type has a table once it has an event. */
function explained(message: string): string {
  return message.includes('UNKNOWN_TABLE') ? 'No event of these log types has arrived yet.' : message
}

function Body({ panel: { kind, title }, data }: { readonly panel: Panel; readonly data: PanelData }) {
  if (kind === 'number') return <NumberPanel data={data} />
  if (data.rows.length === 0)
    return (
      <Text c="dimmed" size="sm">
        Nothing in this time.
      </Text>
    )
  if (kind === 'bar') return <BarPanel data={data} />
  if (kind === 'table') return <TablePanel data={data} />
  return (
    <Suspense fallback={<Skeleton height={HEIGHTS[kind]} />}>
      {kind === 'line' ? <LinePanel title={title} data={data} height={180} /> : <MapPanel title={title} data={data} />}
    </Suspense>
  )
}
