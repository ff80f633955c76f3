import { Button, Group, Kbd, Select, Skeleton, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useState } from 'react'
import { call } from '../../../api/client.ts'
import { Failure } from '../../../parts/failure.tsx'
import { SaveButtons } from '../saved/save-buttons.tsx'
import { MOST_ROWS, type SearchParams } from '../search-params.ts'
import { rangeOf, timesOf } from '../time-range.ts'
import { TimeRangePicker } from '../time-range-picker.tsx'
import { QueryProgress } from './query-progress.tsx'
import { isOver, takesRange, useJob, useQueryRun } from './query-run.ts'
import { SqlResult } from './sql-result.tsx'
import classes from './sql-search.module.css'

const SqlEditor = lazy(() => import('./sql-editor.tsx'))

const FIRST = `SELECT p_event_time, p_log_type, p_any_ip_addresses
FROM logs.all
ORDER BY p_event_time DESC
LIMIT 100`

const ROW_CHOICES = MOST_ROWS.map((most) => ({ value: String(most), label: `At most ${most.toLocaleString()} rows` }))

interface SqlSearchProps {
  readonly search: SearchParams
  onChange(search: SearchParams): void
}

/** Any query, run as a job that can be cancelled, with its result. */
export function SqlSearch({ search, onChange }: SqlSearchProps) {
  const { most = MOST_ROWS[0]!, sort, job, saved, dialect } = search
  // A text that is too long for a URL is that of its query.
  const known = useJob(search.sql === undefined ? job : undefined)
  const sql = search.sql ?? known.data?.sql
  const [text, setText] = useState(sql ?? FIRST)
  useEffect(() => {
    if (sql !== undefined) setText(sql)
  }, [sql])
  const range = rangeOf(search)
  const run = useQueryRun(sql === undefined ? undefined : { sql, most, sort, job, dialect, range })
  // What stays if the text changes: another query has other columns.
  const kept: SearchParams = {
    ...range,
    ...mostOf(most),
    ...(search.view && { view: search.view }),
    ...(saved !== undefined && { saved }),
    ...(dialect && { dialect }),
  }
  const startLong = useMutation({
    mutationFn: () => {
      const params = takesRange(text) ? timesOf(range, Date.now()) : undefined
      return call('POST /api/v1/queries', {
        body: { sql: text, max_rows: most, ...(dialect && { dialect }), ...(params && { params }) },
      })
    },
    onSuccess: ({ id }) => onChange({ tab: 'sql', job: id, ...kept }),
  })
  const error = known.error ?? startLong.error ?? run.error
  const submit = () => {
    if (run.isRunning || text.trim() === '') return
    if (!fitsUrl(text)) return startLong.mutate()
    if (text !== sql) return onChange({ tab: 'sql', sql: text, ...kept })
    if (job === undefined) return run.again()
    const { job: _, ...rest } = search
    onChange(rest)
  }
  return (
    <div className={classes['search']}>
      <Suspense fallback={<Skeleton height="calc(var(--editor-height) + 2px)" />}>
        <SqlEditor value={text} onChange={setText} onSubmit={submit} />
      </Suspense>
      <Group gap="sm">
        {run.isRunning ? (
          <Button size="xs" variant="default" onClick={run.cancel}>
            Cancel
          </Button>
        ) : (
          <Button size="xs" onClick={submit}>
            Run
          </Button>
        )}
        <Select
          size="xs"
          w={180}
          aria-label="Rows at most"
          allowDeselect={false}
          value={String(most)}
          onChange={(value) => onChange({ ...search, tab: 'sql', ...mostOf(Number(value)) })}
          data={ROW_CHOICES}
        />
        {takesRange(text) && (
          <TimeRangePicker
            range={range}
            onChange={({ since, until }) => {
              const { since: _, until: __, job: ___, ...rest } = search
              onChange({ ...rest, tab: 'sql', ...(since !== undefined && { since }), ...(until !== undefined && { until }) })
            }}
          />
        )}
        <Text c="dimmed" size="sm" visibleFrom="sm">
          <Kbd size="xs">Ctrl</Kbd> <Kbd size="xs">Enter</Kbd>
        </Text>
        <SaveButtons
          what={{ sql: text, ...(dialect && { dialect }) }}
          saved={saved}
          onSaved={(name) => onChange({ ...search, tab: 'sql', saved: name })}
        />
        {saved !== undefined && (
          <Text size="sm" className="foreign">
            Saved as <b>{saved}</b>
          </Text>
        )}
      </Group>
      {error ? <Failure error={error} onRetry={run.again} /> : null}
      {run.isRunning && <QueryProgress job={run.job} />}
      {!run.isRunning && run.job && isOver(run.job) && (
        <SqlResult key={run.job.id} job={run.job} search={search} onChange={onChange} onAgain={run.again} />
      )}
    </div>
  )
}

/** Servers and proxies refuse addresses that are much longer. */
function fitsUrl(sql: string): boolean {
  return encodeURIComponent(JSON.stringify(sql)).length <= 6000
}

function mostOf(most: number): Pick<SearchParams, 'most'> {
  return most === MOST_ROWS[0] ? {} : { most }
}
