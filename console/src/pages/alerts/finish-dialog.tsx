import { Button, Group, Modal, SegmentedControl, Stack, Text, Textarea } from '@mantine/core'
import { useState } from 'react'
import type { Alert } from '../../api/types.ts'
import { counted } from '../../parts/number.ts'
import type { AlertChange } from './change-alerts.ts'

interface FinishDialogProps {
  readonly isOpen: boolean
  readonly count: number
  onClose(): void
  onFinish(change: AlertChange, done: string): void
}

/** Resolves or closes alerts, with the reason and whether they were worth raising. */
export function FinishDialog({ isOpen, count, onClose, onFinish }: FinishDialogProps) {
  const [status, setStatus] = useState<Alert['status']>('RESOLVED')
  const [quality, setQuality] = useState('none')
  const [reason, setReason] = useState('')
  const finish = () => {
    const done = status === 'RESOLVED' ? 'Resolved' : 'Closed'
    onFinish(
      {
        status,
        ...(reason.trim() !== '' && { reason: reason.trim() }),
        ...(quality !== 'none' && { quality: quality as 'USEFUL' | 'NOISE' }),
      },
      done,
    )
    setReason('')
    setQuality('none')
  }
  return (
    <Modal opened={isOpen} onClose={onClose} title={`Finish ${counted(count, 'alert')}`} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          finish()
        }}
      >
        <Stack gap="md">
          <SegmentedControl
            fullWidth
            aria-label="Status"
            value={status}
            onChange={(value) => setStatus(value as Alert['status'])}
            data={[
              { value: 'RESOLVED', label: 'Resolved' },
              { value: 'CLOSED', label: 'Closed' },
            ]}
          />
          <div>
            <Text size="sm" fw={500} mb={4} id="quality">
              Was it worth raising?
            </Text>
            <SegmentedControl
              fullWidth
              aria-labelledby="quality"
              value={quality}
              onChange={setQuality}
              data={[
                { value: 'USEFUL', label: 'Useful' },
                { value: 'NOISE', label: 'Noise' },
                { value: 'none', label: 'Undecided' },
              ]}
            />
          </div>
          <Textarea
            label="Reason"
            placeholder="What it was, and what was done"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            maxLength={1000}
            autosize
            minRows={3}
            data-autofocus
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit">{status === 'RESOLVED' ? 'Resolve' : 'Close'}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
