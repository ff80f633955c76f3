import { ActionIcon, Button, Group, Skeleton, Text, UnstyledButton } from '@mantine/core'
import { MinusIcon } from '@radix-ui/react-icons'
import type { CSSProperties } from 'react'
import { counted, number } from '../../../parts/number.ts'
import { type Ask, useFieldSummary } from './event-data.ts'
import type { EventFilter } from './event-filter.ts'
import classes from './field-list.module.css'

interface FieldSummaryProps {
  readonly ask: Ask
  readonly field: string
  readonly isShown: boolean
  onFilter(filter: EventFilter): void
  onColumn(): void
}

/** Most characters that the API compares. */
const MOST_CHARS = 2048

/** The most frequent values of a field; each is a filter. */
export function FieldSummaryView({ ask, field, isShown, onFilter, onColumn }: FieldSummaryProps) {
  const summary = useFieldSummary(ask, field)
  if (summary.error)
    return (
      <Text className={classes['summary']!} c="dimmed" size="sm">
        {summary.error.message}
      </Text>
    )
  if (!summary.data) return <Skeleton className={classes['summary']!} height={80} />
  const { top, distinct, present, total } = summary.data
  const filterOf = (op: EventFilter['op'], value: string) => onFilter({ field, op, values: [value] })
  return (
    <div className={classes['summary']}>
      <Text size="sm" c="dimmed">
        {counted(distinct, 'different value')}, {counted(present, 'value')} in {counted(total, 'event')}
      </Text>
      <ul className={classes['values']} aria-label={`Most frequent values of ${field.slice(0, 100)}`}>
        {top.map(({ value, events, share }) => (
          <li
            key={value}
            className={classes['value']}
            style={{ '--share': Math.min(1, share) } as CSSProperties}
            title={`${number(events)} events`}
          >
            <UnstyledButton
              className={`${classes['text']} mono foreign`}
              disabled={value.length > MOST_CHARS}
              aria-label={`Only ${value.slice(0, 200)}`}
              onClick={() => filterOf('equals', value)}
            >
              {value.slice(0, 200)}
            </UnstyledButton>
            <span className={classes['number']}>{percent(share)}</span>
            <ActionIcon
              size="xs"
              variant="subtle"
              color="gray"
              disabled={value.length > MOST_CHARS}
              aria-label={`Without ${value.slice(0, 200)}`}
              title="Without this value"
              onClick={() => filterOf('not_equals', value)}
            >
              <MinusIcon />
            </ActionIcon>
          </li>
        ))}
      </ul>
      <Group gap="xs">
        <Button size="compact-xs" variant="default" onClick={onColumn}>
          {isShown ? 'Hide the column' : 'Show as a column'}
        </Button>
        <Button size="compact-xs" variant="default" onClick={() => onFilter({ field, op: 'exists' })}>
          Only events with it
        </Button>
      </Group>
    </div>
  )
}

function percent(share: number): string {
  return share > 0 && share < 0.001 ? '< 0.1 %' : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`
}
