import { Button, Group, TextInput, Title } from '@mantine/core'
import { MagnifyingGlassIcon, ReloadIcon } from '@radix-ui/react-icons'
import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useCallback, useEffect, useRef, useState } from 'react'
import { Failure } from '../../parts/failure.tsx'
import { useKeys } from '../../parts/keys.ts'
import { counted } from '../../parts/number.ts'
import { AlertActions } from './alert-actions.tsx'
import { useAlertCounts, useAlerts } from './alert-data.ts'
import { AlertFilters } from './alert-filters.tsx'
import { AlertList } from './alert-list.tsx'
import type { AlertSearch } from './alert-search.ts'
import classes from './alerts.module.css'
import { KeyHelp } from './key-help.tsx'

const route = getRouteApi('/alerts')

export function Alerts() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const client = useQueryClient()
  const list = useAlerts(search)
  const counts = useAlertCounts(search)
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const toggle = useCallback((alertId: string) => setSelected((before) => toggled(before, alertId)), [])
  const filter = (next: AlertSearch) => {
    setSelected(new Set())
    void navigate({ search: next, replace: true })
  }
  const alerts = list.data?.pages.flatMap(({ results }) => results) ?? []
  const refresh = () => void client.resetQueries({ queryKey: ['alerts', 'list', search] })
  const isNewer = useIsNewer(counts.data?.total, list.dataUpdatedAt)
  return (
    <div className={classes['page']}>
      <div className={classes['head']}>
        <Group justify="space-between" gap="xs">
          <Group gap="sm" wrap="nowrap">
            <Title order={1} size="h3">
              Alerts
            </Title>
            <span className={classes['total']} aria-live="polite">
              {counts.data && counted(counts.data.total, 'alert')}
              {counts.data?.complete === false && ' or more'}
            </span>
            {isNewer && (
              <Button size="compact-xs" variant="light" leftSection={<ReloadIcon />} onClick={refresh}>
                Show what is new
              </Button>
            )}
          </Group>
          <SearchBox text={search.text ?? ''} onChange={(text) => filter(withText(search, text))} />
        </Group>
        <AlertFilters search={search} counts={counts.data} onChange={filter} />
      </div>
      {list.error && <Failure error={list.error} onRetry={() => void list.refetch()} />}
      <AlertList
        alerts={alerts}
        isLoading={list.isPending}
        isFiltered={Object.keys(search).length > 0}
        onClear={() => filter({})}
        onEnd={() => {
          if (list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage()
        }}
        search={search}
        selected={selected}
        onToggle={toggle}
      />
      <AlertActions alerts={alerts.filter(({ alert_id }) => selected.has(alert_id))} onDone={() => setSelected(new Set())} />
      <KeyHelp />
    </div>
  )
}

function toggled(selected: ReadonlySet<string>, alertId: string): ReadonlySet<string> {
  const next = new Set(selected)
  if (!next.delete(alertId)) next.add(alertId)
  return next
}

function withText(search: AlertSearch, text: string): AlertSearch {
  const { text: _, ...rest } = search
  return text === '' ? rest : { ...rest, text }
}

/** Whether more alerts meet the filter than when the list was read. */
function useIsNewer(total: number | undefined, readAt: number): boolean {
  const [first, setFirst] = useState({ readAt: 0, total: 0 })
  useEffect(() => {
    if (total !== undefined && first.readAt !== readAt) setFirst({ readAt, total })
  }, [total, readAt, first.readAt])
  return first.readAt === readAt && total !== undefined && total > first.total
}

function SearchBox({ text, onChange }: { readonly text: string; onChange(text: string): void }) {
  const [typed, setTyped] = useState(text)
  const input = useRef<HTMLInputElement>(null)
  const latest = useRef(onChange)
  latest.current = onChange
  useEffect(() => setTyped(text), [text])
  useEffect(() => {
    if (typed === text) return
    const timer = setTimeout(() => latest.current(typed), 250)
    return () => clearTimeout(timer)
  }, [typed, text])
  useKeys({ '/': () => input.current?.focus() })
  return (
    <TextInput
      ref={input}
      className={classes['search']!}
      size="xs"
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') input.current?.blur()
      }}
      leftSection={<MagnifyingGlassIcon />}
      placeholder="Title, rule or indicator"
      aria-label="Filter by title, rule or indicator"
    />
  )
}
