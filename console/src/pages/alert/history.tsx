import { Alert, Button, Group, Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import type { AlertDetail, TimelineEntry } from '../../api/types.ts'
import { Section } from '../../parts/section.tsx'
import { When } from '../../parts/when.tsx'
import { useSession } from '../../session/session.tsx'
import { happened } from './happened.ts'
import classes from './history.module.css'

/** Everything that happened to the alert, and comments. */
export function History({ alert }: { readonly alert: AlertDetail }) {
  const { may } = useSession()
  const history = useQuery({
    queryKey: ['alerts', 'timeline', alert.alert_id],
    queryFn: ({ signal }) =>
      call('GET /api/v1/alerts/{id}/timeline', { path: { id: alert.alert_id }, query: { limit: 200 }, signal }),
    refetchInterval: 15_000,
  })
  return (
    <Section title="History">
      <ol className={classes['entries']}>
        {history.data?.results.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ol>
      {typeof history.data?.next === 'string' && <p>Only the first {history.data.results.length} entries are shown.</p>}
      {may('alerts:change') && <CommentForm alertId={alert.alert_id} />}
    </Section>
  )
}

function Entry({ entry }: { readonly entry: TimelineEntry }) {
  const { what, text } = happened(entry)
  return (
    <li>
      <span className={classes['when']}>
        <When time={entry.time} />
      </span>
      <div>
        {entry.by !== null && <b className="foreign">{entry.by} </b>}
        <span className="foreign">{what}</span>
        {text !== undefined && <div className={`${classes['comment']} foreign`}>{text}</div>}
      </div>
    </li>
  )
}

function CommentForm({ alertId }: { readonly alertId: string }) {
  const client = useQueryClient()
  const [text, setText] = useState('')
  const comment = useMutation({
    mutationFn: () => call('POST /api/v1/alerts/{id}/comments', { path: { id: alertId }, body: { text } }),
    onSuccess: () => {
      setText('')
      void client.invalidateQueries({ queryKey: ['alerts', 'timeline', alertId] })
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        comment.mutate()
      }}
    >
      <Textarea
        aria-label="Comment"
        placeholder="Comment"
        autosize
        minRows={2}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {comment.error && (
        <Alert color="red" mt="xs" role="alert">
          {comment.error.message}
        </Alert>
      )}
      <Group justify="flex-end" mt="xs">
        <Button size="xs" type="submit" variant="default" disabled={text.trim() === ''} loading={comment.isPending}>
          Comment
        </Button>
      </Group>
    </form>
  )
}
