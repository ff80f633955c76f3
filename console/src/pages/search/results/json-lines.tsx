import { useEffect, useRef } from 'react'
import classes from './json-lines.module.css'
import type { ResultRows } from './result-rows.ts'
import { useRowWindow } from './row-window.ts'

interface JsonLinesProps {
  readonly rows: ResultRows
  /** A row as JSON. */
  textOf(index: number): string
  onOpen(index: number): void
}

const ROW_HEIGHT = 24
const MOST_CHARS = 1000

/** Rows as JSON, a line each. Only those in view are in the page. */
export function JsonLines({ rows, textOf, onOpen }: JsonLinesProps) {
  const scroll = useRef<HTMLElement>(null)
  const { height, first, end, topOf } = useRowWindow(scroll, rows.count, ROW_HEIGHT)
  useEffect(() => rows.want(first, end - 1), [rows, first, end])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which needs the focus.
    <section ref={scroll} className={classes['scroll']} tabIndex={0} aria-label="Rows as JSON">
      <div className={classes['lines']} style={{ height }}>
        {Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i).map((index) => (
          <button
            key={index}
            type="button"
            className={`${classes['line']} foreign`}
            style={{ transform: `translateY(${topOf(index)}px)` }}
            aria-haspopup="dialog"
            onClick={() => onOpen(index)}
          >
            {rows.row(index) === undefined ? '…' : textOf(index).slice(0, MOST_CHARS)}
          </button>
        ))}
      </div>
    </section>
  )
}
