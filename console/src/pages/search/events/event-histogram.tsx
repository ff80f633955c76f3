import { Skeleton } from '@mantine/core'
import { lazy, Suspense, useMemo } from 'react'
import { barsOf } from './bars.ts'
import type { Histogram } from './event-data.ts'

const TimeChart = lazy(() => import('../../../parts/time-chart.tsx'))

const HEIGHT = 130

interface EventHistogramProps {
  readonly histogram: Histogram
  /** The times that were searched, RFC 3339. */
  readonly since: string
  readonly until: string
  onBrush(range: { since: string; until: string }): void
}

/** The number of events over time by log type. A drag across it narrows the time. */
export function EventHistogram({ histogram, since, until, onBrush }: EventHistogramProps) {
  const { times, series } = useMemo(() => {
    const bars = histogram.bars.map(({ log_type, ...bar }) => ({ name: log_type, ...bar }))
    return barsOf(bars, histogram.step_seconds, since, until)
  }, [histogram, since, until])
  return (
    <Suspense fallback={<Skeleton height={HEIGHT + 22} />}>
      <TimeChart
        label="Events over time"
        kind="bars"
        times={times}
        series={series}
        stepSeconds={histogram.step_seconds}
        height={HEIGHT}
        onBrush={(from, to) => onBrush({ since: timeOf(from), until: timeOf(to) })}
      />
    </Suspense>
  )
}

function timeOf(seconds: number): string {
  return new Date(Math.round(seconds) * 1000).toISOString()
}
