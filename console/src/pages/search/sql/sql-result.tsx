import { Alert, Button, List, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import { Empty } from '../../../parts/empty.tsx'
import { Failure } from '../../../parts/failure.tsx'
import { counted } from '../../../parts/number.ts'
import { ColumnMenu } from '../results/column-menu.tsx'
import { JsonLines } from '../results/json-lines.tsx'
import { objectOf } from '../results/result-rows.ts'
import { ResultTable } from '../results/result-table.tsx'
import { RowDrawer } from '../results/row-drawer.tsx'
import { ViewSwitch } from '../results/view-switch.tsx'
import type { SearchParams } from '../search-params.ts'
import { ExportMenu } from './export-menu.tsx'
import { useJobRows } from './job-rows.ts'
import type { QueryJob } from './query-run.ts'

interface SqlResultProps {
  /** It has ended. */
  readonly job: QueryJob
  readonly search: SearchParams
  onChange(search: SearchParams): void
  onAgain(): void
}

/** Columns that are shown before somebody chooses. */
const FIRST_COLUMNS = 40
const NO_COLUMNS: NonNullable<QueryJob['columns']> = []

export function SqlResult({ job, ...props }: SqlResultProps) {
  const again = (
    <Button size="xs" variant="light" mt="xs" onClick={props.onAgain}>
      Run it again
    </Button>
  )
  if (job.state === 'failed') return <Failure error={new Error(job.error ?? 'The query has failed.')} />
  if (job.state === 'cancelled') return <Empty title="Cancelled">The lake has ended the query. {again}</Empty>
  if (!job.has_result) return <Empty title="The result is not kept any more">{again}</Empty>
  if (job.rows === 0) return <Empty title="No rows">The query is right, and nothing meets it.</Empty>
  return <Rows job={job} {...props} />
}

function Rows({ job, search, onChange, onAgain }: SqlResultProps) {
  const { id, rows: count } = job
  const columns = job.columns ?? NO_COLUMNS
  const [problem, setProblem] = useState<unknown>()
  const rows = useJobRows(id, columns, count ?? 0, setProblem)
  const [open, setOpen] = useState<number>()
  const shown = useMemo(() => shownOf(columns, search.columns), [columns, search.columns])
  const { sort: _, view: __, ...rest } = search
  const kept = { ...rest, ...(search.view && { view: search.view }) }
  const opened = open === undefined ? undefined : rows.row(open)
  return (
    <div>
      <ViewSwitch
        view={search.view}
        onChange={(view) => onChange({ ...rest, ...(search.sort !== undefined && { sort: search.sort }), ...view })}
      >
        <Text c="dimmed" size="sm" role="status">
          {counted(count ?? 0, 'row')}
          {job.truncated && ', cut'} in {Math.round(job.elapsed_ms).toLocaleString()} ms
        </Text>
        <ColumnMenu columns={columns} shown={shown} onChange={(names) => onChange({ ...search, columns: names })} />
        <ExportMenu id={id} />
      </ViewSwitch>
      {job.translated && job.translated.notes.length > 0 && <Notes notes={job.translated.notes} />}
      {problem !== undefined && <Failure error={problem} onRetry={onAgain} />}
      {search.view === 'json' ? (
        <JsonLines rows={rows} textOf={(index) => JSON.stringify(objectOf(columns, rows.row(index)!))} onOpen={setOpen} />
      ) : (
        <ResultTable
          rows={rows}
          shown={shown}
          sort={search.sort}
          onSort={(sort) => onChange({ ...kept, ...(sort !== undefined && { sort }) })}
          onOpen={setOpen}
        />
      )}
      <RowDrawer
        title={open === undefined ? '' : `Row ${(open + 1).toLocaleString()}`}
        row={opened && objectOf(columns, opened)}
        onClose={() => setOpen(undefined)}
      />
    </div>
  )
}

function Notes({ notes }: { readonly notes: readonly string[] }) {
  return (
    <Alert color="gray" title="Translated from Snowflake's dialect" mb="xs">
      <List size="sm">
        {notes.map((note) => (
          <List.Item key={note}>{note}</List.Item>
        ))}
      </List>
    </Alert>
  )
}

/** The places of the columns that are shown: those chosen, or the first ones. Of many, those of the log come before those that are added. */
function shownOf(columns: readonly { readonly name: string }[], chosen: readonly string[] | undefined): number[] {
  const all = columns.map((_, i) => i)
  const rank = (i: number) => (columns[i]!.name === 'p_event_time' ? 0 : columns[i]!.name.startsWith('p_') ? 2 : 1)
  const first = all.length <= FIRST_COLUMNS ? all : all.toSorted((a, b) => rank(a) - rank(b)).slice(0, FIRST_COLUMNS)
  const found = chosen?.flatMap((name) => all.filter((i) => columns[i]!.name === name)) ?? []
  return found.length === 0 ? first : found
}
