import { useComputedColorScheme } from '@mantine/core'
import { type CSSProperties, useEffect, useRef, useState } from 'react'
import UPlot, { type AlignedData, type Options } from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { number, shortNumber } from './number.ts'
import classes from './time-chart.module.css'

export interface ChartSeries {
  readonly name: string
  /** One for each time; null: nothing is known. */
  readonly values: readonly (number | null)[]
  /** A variable of the page, such as `--severity-high`. */
  readonly colour?: string
}

interface TimeChartProps {
  /** For people who do not see it. */
  readonly label: string
  /** `bars` are stacked. */
  readonly kind: 'bars' | 'lines'
  /** Seconds since 1970, ascending. */
  readonly times: readonly number[]
  readonly series: readonly ChartSeries[]
  /** Seconds that a bar stands for. */
  readonly stepSeconds?: number
  readonly height: number
  /** Somebody dragged from one time to another. Seconds since 1970. */
  onBrush?(from: number, to: number): void
}

/** Values over time, in the viewer's zone. */
export default function TimeChart({ label, kind, times, series, stepSeconds = 0, height, onBrush }: TimeChartProps) {
  const host = useRef<HTMLDivElement>(null)
  const scheme = useComputedColorScheme('light')
  const [at, setAt] = useState<number | null>(null)
  const brush = useRef(onBrush)
  brush.current = onBrush
  const canBrush = onBrush !== undefined
  // biome-ignore lint/correctness/useExhaustiveDependencies(scheme): its colours are read from the page.
  useEffect(() => {
    const element = host.current!
    const options = optionsOf(element, { kind, times, series, stepSeconds, height, canBrush })
    const chart = new UPlot(
      {
        ...options,
        hooks: {
          setCursor: [({ cursor }) => setAt(cursor.idx ?? null)],
          setSelect: [
            (plot) => {
              const { left, width } = plot.select
              if (width < 4) return
              const [from, to] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]
              plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
              brush.current?.(from, to)
            },
          ],
        },
      },
      dataOf(kind, times, series),
      element,
    )
    const sizes = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }))
    sizes.observe(element)
    return () => {
      sizes.disconnect()
      chart.destroy()
    }
  }, [kind, times, series, stepSeconds, height, canBrush, scheme])
  return (
    <div>
      <div ref={host} role="img" aria-label={described(label, series)} className={classes['chart']} style={{ height }} />
      <Legend times={times} series={series} at={at} />
    </div>
  )
}

interface LegendProps {
  readonly times: readonly number[]
  readonly series: readonly ChartSeries[]
  readonly at: number | null
}

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** The names, and, under the pointer, the values. */
function Legend({ times, series, at }: LegendProps) {
  const time = at === null ? undefined : times[at]
  return (
    <div className={classes['legend']}>
      {series.map(({ name, values, colour }, i) => (
        <span
          key={name}
          className={`${classes['entry']} foreign`}
          style={{ '--own': `var(${colour ?? colourAt(i)})` } as CSSProperties}
        >
          {name.slice(0, 100)}
          {time !== undefined && <b>{number(values[at!] ?? 0)}</b>}
        </span>
      ))}
      <span className={classes['time']}>{time !== undefined && TIME.format(new Date(time * 1000))}</span>
    </div>
  )
}

const COLOURS = 6

function colourAt(place: number): string {
  return `--chart-${place % COLOURS}`
}

function optionsOf(
  element: HTMLElement,
  {
    kind,
    times,
    series,
    stepSeconds,
    height,
    canBrush,
  }: Pick<TimeChartProps, 'kind' | 'times' | 'series' | 'height'> & { stepSeconds: number; canBrush: boolean },
): Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis = {
    stroke: colour('--mantine-color-dimmed'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour('--hairline'), width: 1 },
    ticks: { show: false },
  }
  const [first = 0, last = 0] = [times[0], times.at(-1)]
  return {
    width: Math.max(200, element.clientWidth),
    height,
    legend: { show: false },
    // To the right, half of the last label's width.
    padding: [8, 30, 0, 0],
    cursor: { points: { show: kind === 'lines' }, drag: { x: canBrush, y: false, setScale: false }, y: false },
    scales: {
      x: { time: true, range: [first, last + stepSeconds || first + 1] },
      y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.05 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 24, space: 70, values: (_, values) => timeLabels(values) },
      { ...axis, size: 46, space: 28, values: (_, values) => values.map((value) => shortNumber(value)) },
    ],
    series: [
      {},
      ...series.map(({ name, colour: named }, i) => {
        const own = colour(named ?? colourAt(i))
        return kind === 'lines'
          ? { label: name, stroke: own, width: 1.5, points: { show: times.length < 2 } }
          : { label: name, stroke: own, fill: own, width: 0, points: { show: false }, paths: BARS }
      }),
    ],
  }
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const SECONDS = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const DAY = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })
const MONTH = new Intl.DateTimeFormat(undefined, { month: 'short', year: 'numeric' })

/** Labels of an axis; where a day begins, the day. */
function timeLabels(values: readonly number[]): string[] {
  const step = (values[1] ?? 0) - (values[0] ?? 0)
  return values.map((value) => {
    const date = new Date(value * 1000)
    if (step >= 28 * 86_400) return MONTH.format(date)
    if (step >= 86_400 || (date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0)) return DAY.format(date)
    return (step < 60 ? SECONDS : CLOCK).format(date)
  })
}

// A bar begins at its time.
const BARS = UPlot.paths.bars!({ size: [0.85, 40], align: 1 })

/** Of bars, the first is the highest and is drawn first: each covers the part of those before that is not its own. */
function dataOf(kind: TimeChartProps['kind'], times: readonly number[], series: readonly ChartSeries[]): AlignedData {
  if (kind === 'lines') return [[...times], ...series.map(({ values }) => [...values])]
  const sums = times.map(() => 0)
  const stacked = series.toReversed().map(({ values }) => values.map((value, i) => (sums[i]! += value ?? 0)))
  return [[...times], ...stacked.toReversed()]
}

function described(label: string, series: readonly ChartSeries[]): string {
  const totals = series.map(
    ({ name, values }) => `${name} ${number(values.reduce<number>((sum, value) => sum + (value ?? 0), 0))}`,
  )
  return totals.length === 0 ? `${label}: none` : `${label}: ${totals.join(', ')}`
}
