import { Alert, Button, Group, Modal, Radio, Select, Stack, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import type { AlertDetail } from '../../api/types.ts'
import { announce } from '../../parts/announce.tsx'
import { useSession } from '../../session/session.tsx'

const SPANS = { '1': 'a day', '7': 'a week', '30': '30 days', '90': '90 days' } as const

interface MuteDialogProps {
  readonly alert: AlertDetail
  readonly isOpen: boolean
  onClose(): void
}

/** Mutes what an alert's rule matches, for some time and with a reason. */
export function MuteDialog({ alert, isOpen, onClose }: MuteDialogProps) {
  const { me } = useSession()
  const client = useQueryClient()
  const [scope, setScope] = useState('dedup')
  const [days, setDays] = useState<string>('7')
  const [reason, setReason] = useState('')
  const mute = useMutation({
    mutationFn: () => {
      const match = { rule: alert.rule_id, exact: true as const, ...(scope === 'dedup' && { dedup: alert.dedup }) }
      const expires = new Date(Date.now() + Number(days) * 86_400_000).toISOString()
      return call('POST /api/v1/mutes', { body: { match, owner: me.name, reason: reason.trim(), expires } })
    },
    onSuccess: ({ mute_id }) => {
      void client.invalidateQueries({ queryKey: ['alerts'] })
      announce(
        `Muted for ${SPANS[days as keyof typeof SPANS]}`,
        () => void call('POST /api/v1/mutes/{id}/end', { path: { id: mute_id } }),
      )
      onClose()
    },
  })
  return (
    <Modal opened={isOpen} onClose={onClose} title="Mute" centered>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          mute.mutate()
        }}
      >
        <Stack>
          <Radio.Group label="What" value={scope} onChange={setScope}>
            <Stack gap={6} mt={6}>
              <Radio value="dedup" label={`What has the same dedup string, ${alert.dedup}`} />
              <Radio value="rule" label={`Everything that the rule ${alert.rule_id} matches`} />
            </Stack>
          </Radio.Group>
          <Select
            label="For"
            allowDeselect={false}
            value={days}
            onChange={(value) => setDays(value ?? '7')}
            data={Object.entries(SPANS).map(([value, label]) => ({ value, label }))}
          />
          <Textarea
            label="Reason"
            description="Whoever finds the mute later reads this."
            required
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            maxLength={1000}
            autosize
            minRows={2}
          />
          {mute.error && (
            <Alert color="red" role="alert">
              {mute.error.message}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={mute.isPending} disabled={reason.trim() === ''}>
              Mute
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
