import { lazy } from 'react'
import { Empty } from '../../parts/empty.tsx'
import { linesOf, type PanelData } from './panel-data.ts'

const TimeChart = lazy(() => import('../../parts/time-chart.tsx'))

interface LinePanelProps {
  readonly title: string
  readonly data: PanelData
  readonly height: number
}

export function LinePanel({ title, data, height }: LinePanelProps) {
  const lines = linesOf(data)
  if (!lines) return <Empty title="No line">A line needs a column with times and one with numbers.</Empty>
  return <TimeChart label={title} kind="lines" times={lines.times} series={lines.series} height={height} />
}
