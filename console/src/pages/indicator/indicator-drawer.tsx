import { Drawer, Select } from '@mantine/core'
import { useState } from 'react'
import { IndicatorTimelineView } from './indicator-timeline.tsx'

const DAY_MS = 86_400_000
const SPANS = { '1': 'A day around it', '7': 'A week around it', '90': 'Three months around it' } as const

interface IndicatorDrawerProps {
  readonly indicator: string | undefined
  /** The time that the alert is about. */
  readonly around: string
  onClose(): void
}

/** What all logs say about an indicator around the time of an alert, beside the alert. */
export function IndicatorDrawer({ indicator, around, onClose }: IndicatorDrawerProps) {
  const [days, setDays] = useState('7')
  const reach = Number(days) * DAY_MS
  const since = new Date(Date.parse(around) - reach).toISOString()
  const until = new Date(Date.parse(around) + reach).toISOString()
  return (
    <Drawer
      opened={indicator !== undefined}
      onClose={onClose}
      position="right"
      size="min(56rem, 100vw)"
      title={<b className="mono foreign">{indicator}</b>}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Select
        size="xs"
        w={200}
        mb="sm"
        aria-label="Span"
        allowDeselect={false}
        value={days}
        onChange={(value) => setDays(value ?? '7')}
        data={Object.entries(SPANS).map(([value, label]) => ({ value, label }))}
      />
      {indicator !== undefined && <IndicatorTimelineView indicator={indicator} since={since} until={until} />}
    </Drawer>
  )
}
