import {
  Button,
  Checkbox,
  Group,
  Modal,
  NumberInput,
  SegmentedControl,
  Stack,
  Switch,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Operations } from '../../../../../src/client/client.ts'
import { call } from '../../../api/client.ts'
import { announce } from '../../../parts/announce.tsx'
import { Failure } from '../../../parts/failure.tsx'
import type { SavedSearchDetail } from './saved-data.ts'

type Draft = Operations['POST /api/v1/searches']['body']

/** What is saved: SQL, or filters. */
export type Saveable = Pick<Draft, 'sql' | 'search' | 'dialect'>

interface SaveDialogProps {
  readonly what: Saveable
  /** The saved search that it replaces; absent: a new one. */
  readonly replaces: SavedSearchDetail | undefined
  onClose(): void
  onSaved(name: string): void
}

/** Saves a search under a name, and lets it run by a schedule. */
export function SaveDialog({ what, replaces, onClose, onSaved }: SaveDialogProps) {
  const keys = replaces?.schedule_keys
  const [name, setName] = useState(replaces?.name ?? '')
  const [description, setDescription] = useState(replaces?.description ?? '')
  const [runs, setRuns] = useState<'never' | 'rate' | 'cron'>(!keys ? 'never' : keys.cron === null ? 'rate' : 'cron')
  const [rate, setRate] = useState(keys?.rate_minutes ?? 60)
  const [cron, setCron] = useState(keys?.cron ?? '0 6 * * *')
  const [enabled, setEnabled] = useState(replaces?.enabled ?? true)
  const [recipients, setRecipients] = useState<string[]>([...(replaces?.email?.recipients ?? [])])
  const [isAttached, setIsAttached] = useState(replaces?.email?.prefer_attachment ?? false)
  const [sendsEmpty, setSendsEmpty] = useState(replaces?.email?.send_empty ?? false)
  const client = useQueryClient()
  const save = useMutation({
    mutationFn: () => {
      const timeout_minutes = keys?.timeout_minutes ?? 1
      const schedule =
        runs === 'never'
          ? null
          : runs === 'rate'
            ? { rate_minutes: rate, timeout_minutes }
            : { cron: cron.trim(), timeout_minutes }
      const email =
        schedule && recipients.length > 0 ? { recipients, prefer_attachment: isAttached, send_empty: sendsEmpty } : null
      const draft = { ...what, description: description.trim(), schedule, enabled, email, tags: [...(replaces?.tags ?? [])] }
      return replaces
        ? call('PUT /api/v1/searches/{name}', {
            path: { name: replaces.name },
            body: { ...draft, revision: replaces.source.revision },
          })
        : call('POST /api/v1/searches', { body: { ...draft, name: name.trim() } })
    },
    onSuccess: ({ name, notes }) => {
      announce([`Saved ${name}`, ...notes].join('; '))
      void client.invalidateQueries({ queryKey: ['searches'] })
      onSaved(name)
    },
  })
  return (
    <Modal
      opened
      onClose={onClose}
      title={replaces ? 'Change the saved search' : 'Save the search'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <Stack gap="sm">
          <TextInput
            label="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            disabled={replaces !== undefined}
            required
            maxLength={200}
            data-autofocus={replaces ? undefined : true}
          />
          <Textarea
            label="Description"
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
            autosize
            minRows={2}
            maxRows={6}
            maxLength={2000}
          />
          <div>
            <Text size="sm" fw={500} mb={4} id="save-runs">
              Runs
            </Text>
            <SegmentedControl
              size="xs"
              aria-labelledby="save-runs"
              value={runs}
              onChange={(value) => setRuns(value as typeof runs)}
              data={[
                { value: 'never', label: 'On demand' },
                { value: 'rate', label: 'Every…' },
                { value: 'cron', label: 'By a cron expression' },
              ]}
            />
          </div>
          {runs === 'rate' && (
            <NumberInput
              label="Minutes between runs"
              value={rate}
              onChange={(value) => setRate(Number(value))}
              min={2}
              max={527_040}
              allowDecimal={false}
            />
          )}
          {runs === 'cron' && (
            <TextInput
              label="Cron expression, in UTC"
              value={cron}
              onChange={(event) => setCron(event.currentTarget.value)}
              className="mono"
              required
            />
          )}
          {runs !== 'never' && (
            <>
              <Switch label="Enabled" checked={enabled} onChange={(event) => setEnabled(event.currentTarget.checked)} />
              <TagsInput
                label="E-mail its rows to"
                description="Its rows are also judged by the scheduled rules that name it."
                placeholder="soc@example.com"
                value={recipients}
                onChange={setRecipients}
                maxTags={50}
                acceptValueOnBlur
              />
              {recipients.length > 0 && (
                <>
                  <Checkbox
                    label="Attach the rows as a CSV file"
                    checked={isAttached}
                    onChange={(event) => setIsAttached(event.currentTarget.checked)}
                  />
                  <Checkbox
                    label="Also when there are no rows"
                    checked={sendsEmpty}
                    onChange={(event) => setSendsEmpty(event.currentTarget.checked)}
                  />
                </>
              )}
            </>
          )}
          {save.error && <Failure error={save.error} />}
          <Group justify="flex-end" gap="xs">
            <Button size="xs" variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button size="xs" type="submit" loading={save.isPending} disabled={name.trim() === ''}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
