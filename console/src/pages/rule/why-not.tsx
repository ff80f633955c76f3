import { Button, Group, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { Failure } from '../../parts/failure.tsx'
import { Section } from '../../parts/section.tsx'
import { useSession } from '../../session/session.tsx'
import { Explanation } from '../alert/explanation.tsx'

/** Why the rule matches a record that somebody pastes, or why it does not. */
export function WhyNot({ ruleId }: { readonly ruleId: string }) {
  const { may } = useSession()
  const [event, setEvent] = useState('')
  const explain = useMutation({ mutationFn: () => call('POST /api/v1/explain', { body: { rule: ruleId, event } }) })
  if (!may('events:read')) return null
  return (
    <Section title="Why does it match, or not?">
      <form
        onSubmit={(submit) => {
          submit.preventDefault()
          explain.mutate()
        }}
      >
        <Textarea
          label="Record"
          description="A line of a log as it arrives, or an event as JSON."
          classNames={{ input: 'mono' }}
          autosize
          minRows={3}
          maxRows={12}
          required
          value={event}
          onChange={(change) => setEvent(change.currentTarget.value)}
        />
        <Group my="sm">
          <Button type="submit" size="xs" variant="default" loading={explain.isPending}>
            Explain
          </Button>
        </Group>
      </form>
      <div aria-live="polite">
        {explain.error && <Failure error={explain.error} />}
        {explain.data && <Explanation explanation={explain.data} />}
      </div>
    </Section>
  )
}
