import { Tabs, Text, Title } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import { useMemo } from 'react'
import { DataPage } from '../../parts/data-page.tsx'
import { IndicatorTimelineView } from '../indicator/indicator-timeline.tsx'
import { EventSearch } from './events/event-search.tsx'
import { SavedList } from './saved/saved-list.tsx'
import { type SearchParams, type Tab, tabOf } from './search-params.ts'
import { QueryHistory } from './sql/query-history.tsx'
import { SqlSearch } from './sql/sql-search.tsx'
import { timesOf } from './time-range.ts'
import { TimeRangePicker } from './time-range-picker.tsx'

const route = getRouteApi('/search')

const LABELS: Readonly<Record<Tab, string>> = {
  events: 'Events',
  sql: 'SQL',
  indicator: 'Indicator',
  saved: 'Saved',
  history: 'History',
}

export function Search() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const tab = tabOf(search)
  const change = (next: SearchParams) => void navigate({ search: next })
  return (
    <DataPage title="Search">
      <Tabs value={tab} onChange={(value) => change(searchOf(value as Tab, search))} keepMounted={false}>
        <Tabs.List mb="sm">
          {Object.entries(LABELS).map(([value, label]) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="events">
          <EventSearch search={search} onChange={change} />
        </Tabs.Panel>
        <Tabs.Panel value="sql">
          <SqlSearch search={search} onChange={change} />
        </Tabs.Panel>
        <Tabs.Panel value="indicator">
          <IndicatorSearch search={search} onChange={change} />
        </Tabs.Panel>
        <Tabs.Panel value="saved">
          <SavedList />
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <QueryHistory />
        </Tabs.Panel>
      </Tabs>
    </DataPage>
  )
}

/** What another tab keeps of a search: its time, and its own part. */
function searchOf(tab: Tab, { since, until, sql, indicator }: SearchParams): SearchParams {
  return {
    tab,
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(tab === 'sql' && sql !== undefined && { sql }),
    ...(tab === 'indicator' && indicator !== undefined && { indicator }),
  }
}

interface IndicatorSearchProps {
  readonly search: SearchParams
  onChange(search: SearchParams): void
}

function IndicatorSearch({ search, onChange }: IndicatorSearchProps) {
  const { indicator, since = '7d', until } = search
  const times = useMemo(() => timesOf({ since, ...(until !== undefined && { until }) }, Date.now()), [since, until])
  return (
    <>
      <TimeRangePicker
        range={{ since, ...(until !== undefined && { until }) }}
        onChange={(range) => onChange({ tab: 'indicator', ...(indicator !== undefined && { indicator }), ...range })}
      />
      {indicator ? (
        <>
          <Title order={2} size="h4" className="mono foreign" my="sm">
            {indicator}
          </Title>
          <IndicatorTimelineView indicator={indicator} {...times} />
        </>
      ) : (
        <Text mt="sm">Type an address, a user, a hash or a host into the field at the top (key: g).</Text>
      )}
    </>
  )
}
