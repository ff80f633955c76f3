import { Button, CloseButton, Group, Transition } from '@mantine/core'
import { useState } from 'react'
import type { Alert } from '../../api/types.ts'
import { useKeys } from '../../parts/keys.ts'
import { number } from '../../parts/number.ts'
import { useSession } from '../../session/session.tsx'
import classes from './alert-actions.module.css'
import { type AlertChange, useChangeAlerts } from './change-alerts.ts'
import { FinishDialog } from './finish-dialog.tsx'

interface AlertActionsProps {
  readonly alerts: readonly Alert[]
  onDone(): void
}

/** What can be done to the chosen alerts; it appears below the list when there are some. */
export function AlertActions({ alerts, onDone }: AlertActionsProps) {
  const { me, may } = useSession()
  const change = useChangeAlerts()
  const [isFinishing, setIsFinishing] = useState(false)
  const isOpen = alerts.length > 0 && may('alerts:change')
  const apply = (one: AlertChange, done: string) => {
    change({ alerts, change: one, done })
    onDone()
  }
  useKeys(
    isOpen
      ? {
          a: () => apply({ owner: me.name }, 'Took'),
          e: () => setIsFinishing(true),
          Escape: onDone,
        }
      : {},
  )
  return (
    <>
      <Transition mounted={isOpen} transition="slide-up">
        {(style) => (
          <div className={classes['bar']} style={style} role="toolbar" aria-label="Chosen alerts">
            <Group gap="xs">
              <CloseButton aria-label="Choose none" onClick={onDone} />
              <b>{number(alerts.length)} chosen</b>
              <Button size="xs" variant="default" onClick={() => apply({ owner: me.name }, 'Took')}>
                Take
              </Button>
              <Button size="xs" variant="default" onClick={() => apply({ status: 'TRIAGED' }, 'Triaged')}>
                Triage
              </Button>
              <Button size="xs" onClick={() => setIsFinishing(true)}>
                Resolve…
              </Button>
            </Group>
          </div>
        )}
      </Transition>
      <FinishDialog
        isOpen={isFinishing}
        count={alerts.length}
        onClose={() => setIsFinishing(false)}
        onFinish={(one, done) => {
          setIsFinishing(false)
          apply(one, done)
        }}
      />
    </>
  )
}
