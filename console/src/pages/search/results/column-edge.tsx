import type { KeyboardEvent, PointerEvent } from 'react'
import classes from './result-table.module.css'

interface ColumnEdgeProps {
  readonly name: string
  /** Pixels. */
  readonly width: number
  onWidth(width: number): void
}

const LEAST = 48
const MOST = 2000
const STEP = 16

/** The right edge of a column's head: dragged, or moved with the arrow keys, it makes the column narrower or wider. */
export function ColumnEdge({ name, width, onWidth }: ColumnEdgeProps) {
  const set = (value: number) => onWidth(Math.max(LEAST, Math.min(MOST, Math.round(value))))
  const drag = (event: PointerEvent<HTMLElement>) => {
    event.preventDefault()
    const from = event.clientX
    const edge = event.currentTarget
    const before = widthOf(edge)
    edge.setPointerCapture(event.pointerId)
    const move = (moved: globalThis.PointerEvent) => set(before + moved.clientX - from)
    edge.addEventListener('pointermove', move)
    edge.addEventListener('lostpointercapture', () => edge.removeEventListener('pointermove', move), { once: true })
  }
  const press = (event: KeyboardEvent<HTMLElement>) => {
    const by = event.key === 'ArrowLeft' ? -STEP : event.key === 'ArrowRight' ? STEP : 0
    if (by === 0) return
    event.preventDefault()
    set(widthOf(event.currentTarget) + by)
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved.
    <div
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={`Width of ${name.slice(0, 100)}`}
      aria-valuenow={Math.round(width)}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      className={classes['edge']}
      onPointerDown={drag}
      onKeyDown={press}
    />
  )
}

/** As it is in the page: the last column may be wider than it has to be. */
function widthOf(edge: HTMLElement): number {
  return edge.parentElement!.getBoundingClientRect().width
}
