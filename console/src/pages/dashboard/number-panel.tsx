import { number } from '../../parts/number.ts'
import classes from './panel.module.css'
import { numberOf, type PanelData } from './panel-data.ts'

export function NumberPanel({ data }: { readonly data: PanelData }) {
  const value = numberOf(data)
  return <div className={classes['number']}>{value === undefined ? '–' : number(value)}</div>
}
