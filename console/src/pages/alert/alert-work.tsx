import { Button, Group, Menu, Tooltip } from '@mantine/core'
import { ChevronDownIcon } from '@radix-ui/react-icons'
import { useState } from 'react'
import type { AlertDetail } from '../../api/types.ts'
import { useKeys } from '../../parts/keys.ts'
import { label } from '../../parts/severity.tsx'
import { useSession } from '../../session/session.tsx'
import { useChangeAlerts } from '../alerts/change-alerts.ts'
import { FinishDialog } from '../alerts/finish-dialog.tsx'
import { MuteDialog } from './mute-dialog.tsx'

/** Status and owner, and everything that people do to an alert. */
export function AlertWork({ alert }: { readonly alert: AlertDetail }) {
  const { me, may } = useSession()
  const change = useChangeAlerts()
  const [dialog, setDialog] = useState<'finish' | 'mute'>()
  const isDone = alert.status === 'RESOLVED' || alert.status === 'CLOSED'
  const canChange = may('alerts:change')
  useKeys(canChange ? { a: () => take(), e: () => setDialog('finish') } : {})
  const take = () => change({ alerts: [alert], change: { owner: me.name }, done: 'Took' })
  const state = (
    <span>
      <b>{label(alert.status)}</b>
      {alert.owner !== null && (
        <>
          {' · '}
          <span className="foreign">{alert.owner}</span>
        </>
      )}
    </span>
  )
  if (!canChange) return state
  return (
    <Group gap="xs">
      {state}
      {alert.owner !== me.name && (
        <Tooltip label="Key: a">
          <Button size="xs" variant="default" onClick={take}>
            Take
          </Button>
        </Tooltip>
      )}
      {alert.status === 'OPEN' && (
        <Button
          size="xs"
          variant="default"
          onClick={() => change({ alerts: [alert], change: { status: 'TRIAGED' }, done: 'Triaged' })}
        >
          Triage
        </Button>
      )}
      {isDone ? (
        <Button size="xs" onClick={() => change({ alerts: [alert], change: { status: 'OPEN' }, done: 'Opened' })}>
          Open again
        </Button>
      ) : (
        <Tooltip label="Key: e">
          <Button size="xs" onClick={() => setDialog('finish')}>
            Resolve…
          </Button>
        </Tooltip>
      )}
      <Menu position="bottom-end">
        <Menu.Target>
          <Button size="xs" variant="default" rightSection={<ChevronDownIcon />}>
            More
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setDialog('mute')}>Mute what is like it…</Menu.Item>
          {alert.owner !== null && (
            <Menu.Item onClick={() => change({ alerts: [alert], change: { owner: null }, done: 'Left' })}>Leave</Menu.Item>
          )}
          <Menu.Item component="a" href={`./api/v1/alerts/${alert.alert_id}/bundle`} download>
            Download the bundle
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <FinishDialog
        isOpen={dialog === 'finish'}
        count={1}
        onClose={() => setDialog(undefined)}
        onFinish={(one, done) => {
          setDialog(undefined)
          change({ alerts: [alert], change: one, done })
        }}
      />
      <MuteDialog alert={alert} isOpen={dialog === 'mute'} onClose={() => setDialog(undefined)} />
    </Group>
  )
}
