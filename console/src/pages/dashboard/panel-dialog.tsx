import { Button, Group, Modal, SegmentedControl, Select, Skeleton, Stack, TagsInput, Text, TextInput } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'
import { useSavedSearches } from '../search/saved/saved-data.ts'
import type { Panel } from './dashboard-data.ts'

const SqlEditor = lazy(() => import('../search/sql/sql-editor.tsx'))

const KINDS: Readonly<Record<Panel['kind'], string>> = {
  number: 'Number',
  line: 'Line',
  bar: 'Bars',
  table: 'Table',
  map: 'Map of countries',
}

const NEEDS: Readonly<Record<Panel['kind'], string>> = {
  number: 'The first number of the first row.',
  line: 'A column with times, and columns with numbers; with a column of texts, a line for each text.',
  bar: 'A column of names and one with numbers.',
  table: 'The rows as they are.',
  map: 'A column of countries (two letters, or names in English) and one with numbers.',
}

const FIRST_SQL = `SELECT p_log_type, count() AS events
FROM logs.all
WHERE p_event_time >= parseDateTime64BestEffort({since:String}, 3)
  AND p_event_time < parseDateTime64BestEffort({until:String}, 3)
GROUP BY p_log_type
ORDER BY events DESC`

interface PanelDialogProps {
  readonly before: Panel | undefined
  onDone(panel: Panel): void
  onClose(): void
}

/** Makes a panel from a saved search or from SQL. */
export function PanelDialog({ before, onDone, onClose }: PanelDialogProps) {
  const searches = useSavedSearches()
  const [title, setTitle] = useState(before?.title ?? '')
  const [kind, setKind] = useState<Panel['kind']>(before?.kind ?? 'bar')
  const [size, setSize] = useState<Panel['size']>(before?.size ?? 'medium')
  const [from, setFrom] = useState<'search' | 'sql'>(before && before.search === null ? 'sql' : 'search')
  const [search, setSearch] = useState(before?.search ?? null)
  const [sql, setSql] = useState(before?.sql ?? FIRST_SQL)
  const [columns, setColumns] = useState<string[]>([...(before?.columns ?? [])])
  const isWhole = title.trim() !== '' && (from === 'search' ? search !== null : sql.trim() !== '')
  const submit = () => {
    if (isWhole)
      onDone({
        title: title.trim(),
        kind,
        size,
        columns,
        search: from === 'search' ? search : null,
        sql: from === 'sql' ? sql : null,
      })
  }
  return (
    <Modal
      opened
      // In the editor, Escape closes what it completes.
      closeOnEscape={from !== 'sql'}
      onClose={onClose}
      size="lg"
      title={before ? 'Change the panel' : 'Add a panel'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack gap="sm">
        <TextInput
          label="Title"
          required
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
          maxLength={200}
          data-autofocus
        />
        <Group gap="md" align="flex-end">
          <Select
            label="Shows"
            allowDeselect={false}
            value={kind}
            onChange={(value) => setKind((value ?? 'bar') as Panel['kind'])}
            data={Object.entries(KINDS).map(([value, label]) => ({ value, label }))}
          />
          <SegmentedControl
            aria-label="Width"
            value={size}
            onChange={(value) => setSize(value as Panel['size'])}
            data={[
              { value: 'small', label: 'Quarter' },
              { value: 'medium', label: 'Half' },
              { value: 'large', label: 'Whole' },
            ]}
          />
        </Group>
        <Text size="sm" c="dimmed">
          {NEEDS[kind]}
        </Text>
        <SegmentedControl
          size="xs"
          aria-label="Made from"
          value={from}
          onChange={(value) => setFrom(value as typeof from)}
          data={[
            { value: 'search', label: 'A saved search' },
            { value: 'sql', label: 'SQL' },
          ]}
        />
        {from === 'search' ? (
          <Select
            label="Saved search"
            searchable
            value={search}
            onChange={setSearch}
            data={searches.data?.map(({ name }) => name) ?? []}
            nothingFoundMessage="Nothing saved is called this. The page Search saves searches."
          />
        ) : (
          <div>
            <Suspense fallback={<Skeleton height={128} />}>
              <SqlEditor value={sql} onChange={setSql} onSubmit={submit} />
            </Suspense>
            <Text size="sm" c="dimmed" mt={4}>
              <code>{'{since:String}'}</code> and <code>{'{until:String}'}</code> are the time that the dashboard shows.
            </Text>
          </div>
        )}
        <TagsInput label="Columns (empty: all)" value={columns} onChange={setColumns} />
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button size="xs" disabled={!isWhole} onClick={submit}>
            {before ? 'Change' : 'Add'}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
