import type { CSSProperties } from 'react'
import { number } from '../../parts/number.ts'
import classes from './panel.module.css'
import { countsOf, type PanelData } from './panel-data.ts'

/** Bars of a panel. */
const MOST = 12

export function BarPanel({ data }: { readonly data: PanelData }) {
  const counts = countsOf(data)
  const most = Math.max(...counts.map(({ value }) => value), 1)
  return (
    <ul className={classes['bars']}>
      {counts.slice(0, MOST).map(({ name, value }) => (
        <li key={name} style={{ '--share': Math.max(0, value) / most } as CSSProperties}>
          <span className="foreign" title={name.slice(0, 500)}>
            {name.slice(0, 200)}
          </span>
          <b>{number(value)}</b>
        </li>
      ))}
    </ul>
  )
}
