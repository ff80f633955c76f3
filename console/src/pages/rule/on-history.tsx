import { Alert, Button, Group, Progress, Select, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { type Answer, call } from '../../api/client.ts'
import { Failure } from '../../parts/failure.tsx'
import { counted, number } from '../../parts/number.ts'
import { Section } from '../../parts/section.tsx'
import { useSession } from '../../session/session.tsx'
import { HistoryResult } from './history-result.tsx'
import type { Draft, RuleDetail } from './rule-data.ts'

export type Run = Answer<'GET /api/v1/replays/{id}'>

const SPANS = { '1h': 'Last hour', '24h': 'Last day', '7d': 'Last week', '30d': 'Last month', '365d': 'Last year' } as const

/** Bounds of one run: the server ends it at the first that it reaches. */
const MAX_EVENTS = 1_000_000
const MAX_SECONDS = 300

interface OnHistoryProps {
  readonly rule: RuleDetail
  readonly draft: Draft
  readonly isChanged: boolean
}

/**
 * What the rule would have found among stored events. A changed one is compared with the one in force. Nothing is stored or sent.
 */
export function OnHistory({ rule, draft, isChanged }: OnHistoryProps) {
  const { may } = useSession()
  const [span, setSpan] = useState<keyof typeof SPANS>('24h')
  const [id, setId] = useState<string>()
  const start = useMutation({
    mutationFn: () => {
      const from = new Date(Date.now() - Number.parseInt(span, 10) * (span.endsWith('h') ? 3_600_000 : 86_400_000)).toISOString()
      if (!isChanged)
        return call('POST /api/v1/replays', { body: { kind: 'events', rules: [rule.id], from, by: 'received', dry_run: true } })
      const files = filesOf(rule, draft)
      return call('POST /api/v1/backtests', {
        body: { files, from, by: 'received', max_events: MAX_EVENTS, max_seconds: MAX_SECONDS },
      })
    },
    onSuccess: (run) => setId(run.id),
  })
  const run = useQuery({
    queryKey: ['replay', id],
    enabled: id !== undefined,
    queryFn: ({ signal }) => call('GET /api/v1/replays/{id}', { path: { id: id! }, signal }),
    refetchInterval: ({ state }) => (isOver(state.data) ? false : 500),
  })
  const cancel = useMutation({ mutationFn: () => call('DELETE /api/v1/replays/{id}', { path: { id: id! } }) })
  const isRunning = id !== undefined && run.data !== undefined && !isOver(run.data)
  useCancelOnLeave(isRunning ? id : undefined)
  if (!may('replays:run')) return null
  return (
    <Section title="Run on history">
      <Text c="dimmed" mb="xs">
        {isChanged
          ? 'Judges stored events by the rule as it is in the editor and by the one in force, and shows the difference.'
          : 'Judges stored events by this rule. Change it above to see what a change would do.'}{' '}
        Nothing is stored or sent.
      </Text>
      <Group gap="sm">
        <Select
          size="xs"
          w={150}
          aria-label="Events received in the"
          allowDeselect={false}
          value={span}
          onChange={(value) => setSpan((value ?? '24h') as keyof typeof SPANS)}
          data={Object.entries(SPANS).map(([value, label]) => ({ value, label }))}
        />
        {isRunning ? (
          <Button size="xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel
          </Button>
        ) : (
          <Button size="xs" variant="default" loading={start.isPending} onClick={() => start.mutate()}>
            {isChanged ? 'Run on history and compare' : 'Run on history'}
          </Button>
        )}
        {isRunning && <Running run={run.data} />}
      </Group>
      <div aria-live="polite">
        {start.error && <Failure error={start.error} />}
        {run.error && <Failure error={run.error} onRetry={() => void run.refetch()} />}
        {run.data?.state === 'cancelled' && <Alert color="gray" mt="sm" title="Cancelled" />}
        {run.data?.state === 'failed' && <Alert color="red" mt="sm" title="The run failed" role="alert" />}
        {run.data && isOver(run.data) && <HistoryResult run={run.data} />}
      </div>
    </Section>
  )
}

function Running({ run: { state, records } }: { readonly run: Run }) {
  if (state === 'queued') return <Text c="dimmed">Waiting for another run to end</Text>
  const { read, of } = records
  return (
    <>
      {of !== null && of > 0 && <Progress w={160} value={Math.min(100, (100 * read) / of)} aria-label="Progress" animated />}
      <Text c="dimmed">
        {number(read)}
        {of !== null && ` of ${counted(of, 'event')}`}
      </Text>
    </>
  )
}

/** Nobody reads the result of a page that was left. */
function useCancelOnLeave(id: string | undefined): void {
  useEffect(
    () => () => {
      if (id !== undefined) void call('DELETE /api/v1/replays/{id}', { path: { id } }).catch(() => undefined)
    },
    [id],
  )
}

function isOver(run: Run | undefined): boolean {
  return run !== undefined && run.state !== 'queued' && run.state !== 'running'
}

function filesOf({ source }: RuleDetail, { yaml, code }: Draft): Record<string, string> {
  return { [source.path]: yaml, ...(code !== null && source.code_path !== null && { [source.code_path]: code }) }
}
