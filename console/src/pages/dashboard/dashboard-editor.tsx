import { Button, Group, NumberInput, SimpleGrid, Textarea, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { ApiProblem, call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { DataPage } from '../../parts/data-page.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { timesOf } from '../search/time-range.ts'
import type { Dashboard, Panel } from './dashboard-data.ts'
import classes from './panel.module.css'
import { PanelCard } from './panel-card.tsx'
import { PanelDialog } from './panel-dialog.tsx'
import { PanelTools } from './panel-tools.tsx'

/** What a new dashboard is made from. */
export type DashboardModel = Pick<Dashboard, 'description' | 'tags' | 'hours' | 'refresh_seconds' | 'panels'>

interface DashboardEditorProps {
  /** The dashboard that is changed; absent: a new one. */
  readonly before?: Dashboard
  readonly model?: DashboardModel | undefined
  onClose(): void
}

interface Placed {
  readonly key: string
  readonly panel: Panel
}

/** Adds, changes, moves and removes panels. Nothing is saved before “Save”. */
export function DashboardEditor({ before, model = before, onClose }: DashboardEditorProps) {
  const [name, setName] = useState(before?.name ?? '')
  const [description, setDescription] = useState(model?.description ?? '')
  const [hours, setHours] = useState(model?.hours ?? 24)
  const [refresh, setRefresh] = useState(model?.refresh_seconds ?? 60)
  const [panels, setPanels] = useState<readonly Placed[]>(() =>
    (model?.panels ?? []).map((panel) => ({ key: crypto.randomUUID(), panel })),
  )
  const [open, setOpen] = useState<Placed | 'new'>()
  const times = useMemo(() => timesOf({ since: `${Math.min(9999, hours)}h` }, Date.now()), [hours])
  const navigate = useNavigate()
  const save = useMutation({
    mutationFn: () => {
      const draft = {
        description: description.trim(),
        tags: [...(model?.tags ?? [])],
        hours,
        refresh_seconds: refresh,
        panels: panels.map(({ panel }) => draftOf(panel)),
      }
      return before
        ? call('PUT /api/v1/dashboards/{name}', {
            path: { name: before.name },
            body: { ...draft, revision: before.source.revision },
          })
        : call('POST /api/v1/dashboards', { body: { ...draft, name: name.trim() } })
    },
    onSuccess: ({ name, notes }) => {
      announce([`Saved ${name}`, ...notes].join('; '))
      onClose()
      void navigate({ to: '/dashboards/$name', params: { name } })
    },
  })
  const move = (from: number, by: number) => {
    const next = [...panels]
    const [taken] = next.splice(from, 1)
    next.splice(from + by, 0, taken!)
    setPanels(next)
  }
  const keep = (panel: Panel) => {
    setPanels(
      open === 'new'
        ? [...panels, { key: crypto.randomUUID(), panel }]
        : panels.map((one) => (one === open ? { key: one.key, panel } : one)),
    )
    setOpen(undefined)
  }
  return (
    <DataPage
      title={before ? `Edit ${before.name}` : 'New dashboard'}
      aside={
        <Group gap="xs">
          <Button size="xs" variant="default" onClick={() => setOpen('new')}>
            Add a panel
          </Button>
          <Button size="xs" variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            size="xs"
            loading={save.isPending}
            disabled={panels.length === 0 || name.trim() === ''}
            onClick={() => save.mutate()}
          >
            Save
          </Button>
        </Group>
      }
    >
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
        <TextInput
          size="xs"
          label="Name"
          required
          disabled={before !== undefined}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={200}
        />
        <Textarea
          size="xs"
          label="Description"
          autosize
          minRows={1}
          maxRows={4}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
          maxLength={2000}
        />
        <NumberInput
          size="xs"
          label="Hours that it shows at first"
          min={1}
          max={8904}
          allowDecimal={false}
          value={hours}
          onChange={(value) => setHours(Number(value) || 24)}
        />
        <NumberInput
          size="xs"
          label="Seconds between refreshes (0: never)"
          min={0}
          max={86_400}
          allowDecimal={false}
          value={refresh}
          onChange={(value) => setRefresh(Number(value) || 0)}
        />
      </SimpleGrid>
      {save.error && <Failure error={explained(save.error)} />}
      {panels.length === 0 && <Empty title="No panels yet">“Add a panel” makes one from a saved search or from SQL.</Empty>}
      <div className={classes['grid']}>
        {panels.map((placed, i) => (
          <PanelCard key={placed.key} panel={placed.panel} times={times} round={0}>
            <PanelTools
              title={placed.panel.title}
              isFirst={i === 0}
              isLast={i === panels.length - 1}
              onMove={(by) => move(i, by)}
              onEdit={() => setOpen(placed)}
              onRemove={() => setPanels(panels.filter((one) => one !== placed))}
            />
          </PanelCard>
        ))}
      </div>
      {open && <PanelDialog before={open === 'new' ? undefined : open.panel} onClose={() => setOpen(undefined)} onDone={keep} />}
    </DataPage>
  )
}

/** A panel as a change takes it: what it does not have is left out. */
function draftOf({ title, kind, size, columns, search, sql }: Panel) {
  return { title, kind, size, columns: [...columns], ...(search === null ? { sql: sql ?? '' } : { search }) }
}

function explained(error: Error): Error {
  const isOld = error instanceof ApiProblem && error.status === 409
  return isOld ? new Error(`${error.message} “Cancel” shows it as it is now.`) : error
}
