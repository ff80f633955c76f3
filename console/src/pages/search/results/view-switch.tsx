import { Group, SegmentedControl } from '@mantine/core'
import type { ReactNode } from 'react'

interface ViewSwitchProps {
  readonly view: 'json' | undefined
  readonly children?: ReactNode
  onChange(search: { view?: 'json' }): void
}

/** Table or JSON, with what else belongs above a result. */
export function ViewSwitch({ view, children, onChange }: ViewSwitchProps) {
  return (
    <Group gap="sm" mb="xs" justify="space-between">
      <SegmentedControl
        size="xs"
        aria-label="View"
        value={view ?? 'table'}
        onChange={(value) => onChange(value === 'json' ? { view: 'json' } : {})}
        data={[
          { value: 'table', label: 'Table' },
          { value: 'json', label: 'JSON' },
        ]}
      />
      <Group gap="xs">{children}</Group>
    </Group>
  )
}
