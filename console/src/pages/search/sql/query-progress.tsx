import { Group, Loader, Progress, Text } from '@mantine/core'
import { bytes, number, shortNumber } from '../../../parts/number.ts'
import type { QueryJob } from './query-run.ts'

/** How far a query is, as far as the lake knows. */
export function QueryProgress({ job }: { readonly job: QueryJob | undefined }) {
  const share = job?.rows_total && job.rows_read !== null ? Math.min(1, job.rows_read / job.rows_total) : undefined
  return (
    <div role="status" aria-label="Progress">
      <Group gap="sm">
        <Loader size="xs" />
        <Text size="sm">{textOf(job)}</Text>
      </Group>
      {share !== undefined && <Progress value={100 * share} size="xs" mt="xs" aria-label="Read so far" />}
    </div>
  )
}

function textOf(job: QueryJob | undefined): string {
  if (!job) return 'Starting'
  if (job.state === 'waiting') return 'Waiting for its turn'
  const seconds = `Running for ${number(Math.round(job.elapsed_ms / 1000))} s`
  if (job.rows_read === null) return seconds
  const size = job.bytes_read === null ? '' : ` (${bytes(job.bytes_read)})`
  return `${seconds}, ${shortNumber(job.rows_read)} stored rows read${size}`
}
