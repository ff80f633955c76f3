import type { Severity } from '../api/types.ts'
import classes from './severity.module.css'

export const SEVERITIES: readonly Severity[] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO']

export function SeverityMark({ severity }: { readonly severity: string }) {
  return (
    <span className={classes['mark']} data-severity={severity}>
      {label(severity)}
    </span>
  )
}

/** `CRITICAL` → `Critical`. */
export function label(word: string): string {
  return word.charAt(0) + word.slice(1).toLowerCase()
}
