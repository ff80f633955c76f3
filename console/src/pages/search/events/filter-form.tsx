import { Autocomplete, Button, Group, Select, TagsInput } from '@mantine/core'
import { useState } from 'react'
import { type Ask, useFieldSummary } from './event-data.ts'
import { type EventFilter, OPS, type Op } from './event-filter.ts'
import classes from './filter-bar.module.css'

interface FilterFormProps {
  /** The filter to change; absent: a new one. */
  readonly filter: EventFilter | undefined
  /** The search without this filter: its values are offered. */
  readonly ask: Ask
  readonly fields: readonly string[]
  onDone(filter: EventFilter): void
  onCancel(): void
}

const CHOICES = Object.entries(OPS).map(([value, { label }]) => ({ value, label }))

/** A field, an operation and values. Fields are those of the tables, values those of the events. */
export function FilterForm({ filter, ask, fields, onDone, onCancel }: FilterFormProps) {
  const [field, setField] = useState(filter?.field ?? '')
  const [op, setOp] = useState<Op>(filter?.op ?? 'equals')
  const [values, setValues] = useState<string[]>((filter?.values ?? []).map(String))
  const [typed, setTyped] = useState('')
  const isKnown = fields.includes(field)
  const summary = useFieldSummary(ask, field, isKnown)
  const { takes } = OPS[op]
  // What is typed counts, whether or not Enter was pressed.
  const given = [...new Set(typed.trim() === '' ? values : [...values, typed.trim()])]
  const isWhole = field.trim() !== '' && (takes === 'none' || (takes === 'one' ? given.length === 1 : given.length > 0))
  const submit = () => {
    if (isWhole) onDone({ field: field.trim(), op, ...(takes !== 'none' && { values: given }) })
  }
  return (
    <form
      className={classes['form']}
      aria-label="Filter"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Autocomplete
        size="xs"
        label="Field"
        placeholder="user, p_any_ip_addresses, detail.user.id"
        data={[...fields]}
        limit={50}
        value={field}
        onChange={setField}
        data-autofocus={filter === undefined || undefined}
      />
      <Select
        size="xs"
        label="Operation"
        allowDeselect={false}
        value={op}
        onChange={(value) => setOp((value ?? 'equals') as Op)}
        data={CHOICES}
      />
      {takes !== 'none' && (
        <TagsInput
          size="xs"
          label={takes === 'many' ? 'Values (any of them)' : 'Value'}
          placeholder={values.length === 0 ? 'Type, or choose' : ''}
          data={summary.data?.top.map(({ value }) => value) ?? []}
          value={values}
          onChange={setValues}
          searchValue={typed}
          onSearchChange={setTyped}
          maxTags={takes === 'one' ? 1 : 100}
          splitChars={[]}
          // Below, the values would cover the buttons.
          comboboxProps={{ position: 'right-start', width: 220 }}
        />
      )}
      <Group gap="xs" justify="flex-end">
        <Button size="xs" variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button size="xs" type="submit" disabled={!isWhole}>
          {filter === undefined ? 'Add' : 'Change'}
        </Button>
      </Group>
    </form>
  )
}
