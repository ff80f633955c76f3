import classes from './state.module.css'

/** Whether something is as it should be. */
export type StateTone = 'good' | 'warn' | 'bad' | 'off'

export function StateMark({ tone, children }: { readonly tone: StateTone; readonly children: string }) {
  return (
    <span className={classes['state']} data-tone={tone}>
      {children}
    </span>
  )
}
