import { Button, Checkbox, Popover, ScrollArea, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { number } from '../../../parts/number.ts'
import type { ResultColumn } from './result-rows.ts'

interface ColumnMenuProps {
  readonly columns: readonly ResultColumn[]
  /** By their place. */
  readonly shown: readonly number[]
  onChange(names: string[]): void
}

/** Columns that are listed before somebody searches. */
const FIRST = 100

/** Chooses which columns are shown. */
export function ColumnMenu({ columns, shown, onChange }: ColumnMenuProps) {
  const [search, setSearch] = useState('')
  const found = columns.map((_, i) => i).filter((i) => columns[i]!.name.toLowerCase().includes(search.trim().toLowerCase()))
  const toggle = (i: number) => {
    const next = shown.includes(i) ? shown.filter((one) => one !== i) : [...shown, i].sort((a, b) => a - b)
    if (next.length > 0) onChange(next.map((one) => columns[one]!.name))
  }
  return (
    <Popover position="bottom-end" width={280} trapFocus withinPortal>
      <Popover.Target>
        <Button size="xs" variant="default">
          {shown.length === columns.length ? 'Columns' : `${number(shown.length)} of ${number(columns.length)} columns`}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <TextInput
          size="xs"
          mb="xs"
          aria-label="Find a column"
          placeholder="Find a column"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <ScrollArea.Autosize mah={320} viewportProps={{ tabIndex: 0 }}>
          <Stack gap={6}>
            {found.slice(0, FIRST).map((i) => (
              <Checkbox
                key={i}
                size="xs"
                label={columns[i]!.name.slice(0, 100)}
                checked={shown.includes(i)}
                onChange={() => toggle(i)}
              />
            ))}
            {found.length > FIRST && (
              <Text size="sm" c="dimmed">
                {number(found.length - FIRST)} more: type a part of the name.
              </Text>
            )}
          </Stack>
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  )
}
