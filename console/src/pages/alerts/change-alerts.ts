import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import type { Alert } from '../../api/types.ts'
import { announce } from '../../parts/announce.tsx'
import { counted } from '../../parts/number.ts'

export interface AlertChange {
  readonly status?: Alert['status']
  readonly reason?: string | null
  readonly quality?: Alert['quality']
  readonly owner?: string | null
}

interface Ask {
  readonly alerts: readonly Alert[]
  readonly change: AlertChange
  /** What is shown once it is done, `Resolved`. */
  readonly done: string
}

/** Changes alerts and offers to undo it. */
export function useChangeAlerts() {
  const client = useQueryClient()
  const refresh = () => client.invalidateQueries({ queryKey: ['alerts'] })
  const mutation = useMutation({
    mutationFn: ({ alerts, change }: Ask) =>
      call('PATCH /api/v1/alerts', { body: { ids: alerts.map(({ alert_id }) => alert_id), change } }),
    onSuccess: ({ results }, { alerts, done, change }) => {
      void refresh()
      const refused = results.filter(({ outcome }) => outcome !== 'changed' && outcome !== 'unchanged')
      const changed = alerts.filter(({ alert_id }) => !refused.some(({ id }) => id === alert_id))
      if (changed.length > 0)
        announce(`${done} ${counted(changed.length, 'alert')}`, () => void undo(changed, change).then(refresh))
      if (refused.length > 0)
        notifications.show({
          color: 'red',
          title: `${counted(refused.length, 'alert')} not changed`,
          message: refused[0]!.message ?? refused[0]!.outcome.replaceAll('_', ' '),
        })
    },
    onError: (error) => notifications.show({ color: 'red', title: 'That did not work', message: error.message }),
  })
  return (ask: Ask) => mutation.mutate(ask)
}

/** Gives each alert back the values that it had before. */
async function undo(alerts: readonly Alert[], change: AlertChange): Promise<void> {
  const names = Object.keys(change) as (keyof AlertChange)[]
  for (const alert of alerts) {
    const before = Object.fromEntries(names.map((name) => [name, alert[name]]))
    await call('PATCH /api/v1/alerts/{id}', { path: { id: alert.alert_id }, body: before })
  }
}
