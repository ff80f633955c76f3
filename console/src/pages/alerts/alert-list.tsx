import { Anchor, Button, Skeleton } from '@mantine/core'
import { useRouter } from '@tanstack/react-router'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { Alert } from '../../api/types.ts'
import { Empty } from '../../parts/empty.tsx'
import { useKeys } from '../../parts/keys.ts'
import { AlertRow, ROW_HEIGHT } from './alert-row.tsx'
import type { AlertSearch } from './alert-search.ts'
import classes from './alerts.module.css'

interface AlertListProps {
  readonly alerts: readonly Alert[]
  readonly isLoading: boolean
  readonly isFiltered: boolean
  readonly search: AlertSearch
  readonly selected: ReadonlySet<string>
  onToggle(alertId: string): void
  onClear(): void
  /** The last rows are near. */
  onEnd(): void
}

/** Stands for the id of an alert in an address. */
const ANY = 'ANY-ALERT'

export function AlertList({ alerts, isLoading, isFiltered, search, selected, onToggle, onClear, onEnd }: AlertListProps) {
  const list = useRef<HTMLUListElement>(null)
  const [margin, setMargin] = useState(0)
  const [focused, setFocused] = useState(0)
  const router = useRouter()
  const place = useCallback((alertId: string) => ({ to: '/alerts/$alertId', params: { alertId }, search }) as const, [search])
  const open = useCallback((alertId: string) => void router.navigate(place(alertId)), [router, place])
  const hrefs = useMemo(() => router.buildLocation(place(ANY)).publicHref.split(ANY), [router, place])
  // The list appears once there are alerts.
  const hasList = alerts.length > 0
  useLayoutEffect(() => {
    if (hasList) setMargin(list.current!.offsetTop)
  }, [hasList])
  const rows = useWindowVirtualizer({
    count: alerts.length,
    estimateSize: () => ROW_HEIGHT,
    overscan: 6,
    scrollMargin: margin,
    getItemKey: (i) => alerts[i]!.alert_id,
  })
  const items = rows.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (alerts.length > 0 && last >= alerts.length - 30) onEnd()
  }, [last, alerts.length, onEnd])
  const focus = (index: number) => {
    const next = Math.max(0, Math.min(alerts.length - 1, index))
    setFocused(next)
    rows.scrollToIndex(next, { align: 'auto' })
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-index="${next}"] a`)?.focus())
  }
  const current = alerts[focused]
  useKeys({
    j: () => focus(document.activeElement?.closest('[data-index]') ? focused + 1 : focused),
    k: () => focus(focused - 1),
    x: () => current && onToggle(current.alert_id),
    o: () => current && open(current.alert_id),
  })
  if (isLoading) return <LoadingRows />
  if (alerts.length === 0) return <NoAlerts isFiltered={isFiltered} onClear={onClear} />
  return (
    <ul ref={list} className={classes['list']} aria-label="Alerts" style={{ height: rows.getTotalSize() }}>
      {items.map(({ index, key, start }) => (
        <AlertRow
          key={key}
          alert={alerts[index]!}
          index={index}
          top={start - margin}
          href={hrefs.join(alerts[index]!.alert_id)}
          isSelected={selected.has(alerts[index]!.alert_id)}
          onToggle={onToggle}
          onOpen={open}
          onFocus={setFocused}
        />
      ))}
    </ul>
  )
}

const PLACES = Array.from({ length: 12 }, (_, i) => `place ${i}`)

function LoadingRows() {
  return (
    <div aria-busy="true" className={classes['loading']}>
      {PLACES.map((place) => (
        <Skeleton key={place} height={ROW_HEIGHT - 12} radius="sm" />
      ))}
    </div>
  )
}

function NoAlerts({ isFiltered, onClear }: { readonly isFiltered: boolean; onClear(): void }) {
  if (isFiltered)
    return (
      <Empty title="No alert meets this filter">
        <Button variant="default" size="xs" mt="xs" onClick={onClear}>
          Show all alerts
        </Button>
      </Empty>
    )
  return (
    <Empty title="No alerts yet">
      Nothing that your logs said has matched a rule. <Anchor href="./sources">Sources</Anchor> shows whether logs arrive.
    </Empty>
  )
}
