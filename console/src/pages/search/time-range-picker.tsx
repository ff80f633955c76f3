import { Button, Group, Menu, Stack, TextInput } from '@mantine/core'
import { CalendarIcon } from '@radix-ui/react-icons'
import { useState } from 'react'
import { rangeText, SPANS, type TimeRange, timesOf } from './time-range.ts'

interface TimeRangePickerProps {
  readonly range: TimeRange
  onChange(range: TimeRange): void
}

/** Chooses a span before now, or two times in the viewer's zone. */
export function TimeRangePicker({ range, onChange }: TimeRangePickerProps) {
  const [isOpen, setIsOpen] = useState(false)
  const choose = (next: TimeRange) => {
    setIsOpen(false)
    onChange(next)
  }
  return (
    <Menu opened={isOpen} onChange={setIsOpen} position="bottom-start" width={260} closeOnItemClick={false}>
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<CalendarIcon />} aria-label={`Time: ${rangeText(range)}`}>
          {rangeText(range)}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {Object.entries(SPANS).map(([since, label]) => (
          <Menu.Item key={since} onClick={() => choose({ since })}>
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>Between two times</Menu.Label>
        <Between range={range} onChange={choose} />
      </Menu.Dropdown>
    </Menu>
  )
}

function Between({ range, onChange }: TimeRangePickerProps) {
  const [first] = useState(() => timesOf(range, Date.now()))
  const [since, setSince] = useState(() => toInput(first.since))
  const [until, setUntil] = useState(() => toInput(first.until))
  const isRight = since !== '' && until !== '' && since < until
  const submit = () => {
    if (isRight) onChange({ since: new Date(since).toISOString(), until: new Date(until).toISOString() })
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Stack gap="xs" p="xs">
        <TextInput
          size="xs"
          type="datetime-local"
          step={1}
          label="From"
          value={since}
          onChange={(event) => setSince(event.currentTarget.value)}
        />
        <TextInput
          size="xs"
          type="datetime-local"
          step={1}
          label="Until"
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
          error={since !== '' && until !== '' && since >= until && 'This is before the beginning'}
        />
        <Group justify="flex-end">
          <Button size="xs" type="submit" disabled={!isRight}>
            Use these times
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** As such a field wants it: without a zone. */
function toInput(time: string): string {
  const date = new Date(time)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}
