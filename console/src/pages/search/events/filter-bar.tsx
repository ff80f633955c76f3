import { Button, CloseButton, Popover, UnstyledButton } from '@mantine/core'
import { PlusIcon } from '@radix-ui/react-icons'
import { useState } from 'react'
import type { Ask } from './event-data.ts'
import { type EventFilter, filterText, withFilter } from './event-filter.ts'
import classes from './filter-bar.module.css'
import { FilterForm } from './filter-form.tsx'

interface FilterBarProps {
  readonly filters: readonly EventFilter[]
  readonly ask: Ask
  readonly fields: readonly string[]
  onChange(filters: EventFilter[]): void
}

/** The filters of a search. All of them must hold. */
export function FilterBar({ filters, ask, fields, onChange }: FilterBarProps) {
  const without = (place: number) => filters.filter((_, i) => i !== place)
  return (
    <ul className={classes['bar']} aria-label="Filters">
      {filters.map((filter, i) => (
        <li key={filterText(filter)} className={classes['filter']}>
          <FilterPopover
            filter={filter}
            ask={{ ...ask, filters: without(i) }}
            fields={fields}
            onDone={(next) => onChange(withFilter(filters, next, i))}
          />
          <CloseButton
            size="xs"
            aria-label={`Remove the filter ${filterText(filter).slice(0, 100)}`}
            onClick={() => onChange(without(i))}
          />
        </li>
      ))}
      <li>
        <FilterPopover filter={undefined} ask={ask} fields={fields} onDone={(next) => onChange(withFilter(filters, next))} />
      </li>
    </ul>
  )
}

interface FilterPopoverProps {
  readonly filter: EventFilter | undefined
  readonly ask: Ask
  readonly fields: readonly string[]
  onDone(filter: EventFilter): void
}

function FilterPopover({ filter, ask, fields, onDone }: FilterPopoverProps) {
  const [isOpen, setIsOpen] = useState(false)
  const toggle = () => setIsOpen(!isOpen)
  return (
    <Popover opened={isOpen} onChange={setIsOpen} trapFocus position="bottom-start" width={320} withinPortal>
      <Popover.Target>
        {filter ? (
          <UnstyledButton className={`${classes['text']} foreign`} onClick={toggle}>
            {filterText(filter).slice(0, 200)}
          </UnstyledButton>
        ) : (
          <Button size="xs" variant="default" leftSection={<PlusIcon />} onClick={toggle}>
            Filter
          </Button>
        )}
      </Popover.Target>
      <Popover.Dropdown>
        <FilterForm
          filter={filter}
          ask={ask}
          fields={fields}
          onCancel={() => setIsOpen(false)}
          onDone={(next) => {
            setIsOpen(false)
            onDone(next)
          }}
        />
      </Popover.Dropdown>
    </Popover>
  )
}
