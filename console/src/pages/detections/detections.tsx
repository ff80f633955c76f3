import { Anchor, Group, SegmentedControl, Text, TextInput } from '@mantine/core'
import { MagnifyingGlassIcon } from '@radix-ui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { all, type Item } from '../../api/client.ts'
import { DataPage } from '../../parts/data-page.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { number } from '../../parts/number.ts'
import { SEVERITIES, SeverityMark } from '../../parts/severity.tsx'
import { StateMark } from '../../parts/state.tsx'
import { When } from '../../parts/when.tsx'
import { HOURS, useRates } from './rate.ts'
import { RateCell } from './rate-cell.tsx'

/** `hours`: its matches of the last day; `undefined`: not known. */
type Rule = Item<'GET /api/v1/rules'> & { readonly hours: readonly number[] | undefined }

const TONES = { on: 'good', off: 'off', waiting: 'warn', erring: 'bad' } as const

const NO_MATCHES: readonly number[] = Array.from({ length: HOURS }, () => 0)

/** Most severe first. */
const RANK: ReadonlyMap<string, number> = new Map(SEVERITIES.map((severity, i) => [severity, i]))

const COLUMNS: readonly Column<Rule>[] = [
  { name: 'Rule', value: ({ name, id }) => name || id, show: (rule) => <About rule={rule} /> },
  {
    name: 'Severity',
    value: ({ severity }) => RANK.get(severity) ?? RANK.size,
    show: ({ severity }) => <SeverityMark severity={severity} />,
  },
  { name: 'State', value: ({ state }) => state, show: ({ state }) => <StateMark tone={TONES[state]}>{state}</StateMark> },
  {
    name: 'Matches, 24 h',
    value: ({ hours }) => hours?.reduce((all, one) => all + one, 0) ?? -1,
    show: ({ hours }) => <RateCell hours={hours} />,
    isNumber: true,
  },
  {
    name: 'Last match',
    value: ({ last_match }) => last_match ?? '',
    show: ({ last_match: last }) =>
      last === null ? (
        '–'
      ) : (
        <>
          <When time={last} as="age" /> ago
        </>
      ),
  },
  {
    name: 'Alerts, 30 d',
    value: ({ recent_alerts }) => recent_alerts,
    show: ({ id, recent_alerts: count }) =>
      count === 0 ? (
        number(count)
      ) : (
        <Anchor renderRoot={(props) => <Link to="/alerts" search={{ rule: id }} {...props} />}>{number(count)}</Anchor>
      ),
    isNumber: true,
  },
  {
    name: 'Useful',
    value: ({ precision }) => precision ?? -1,
    show: ({ precision }) => (precision === null ? '–' : percent(precision, 0)),
    isNumber: true,
  },
  { name: 'Errors', value: ({ errors }) => errors, show: ({ errors }) => number(errors), isNumber: true },
  {
    name: 'Time',
    value: ({ cost }) => cost ?? 0,
    show: ({ cost }) => (cost === null ? '–' : percent(cost, 1)),
    isNumber: true,
  },
]

export function Detections() {
  const [text, setText] = useState('')
  const [which, setWhich] = useState('all')
  const rules = useQuery({
    queryKey: ['rules'],
    queryFn: ({ signal }) => all('GET /api/v1/rules', signal),
    refetchInterval: 15_000,
  })
  const rates = useRates()
  if (rules.error) return <Failure error={rules.error} onRetry={() => void rules.refetch()} />
  const part = text.trim().toLowerCase()
  const shown = rules.data
    ?.filter(
      ({ id, name, log_types, state }) =>
        (which === 'all' || (which === 'on') === (state === 'on')) &&
        [id, name, ...log_types].some((one) => one.toLowerCase().includes(part)),
    )
    .map((rule): Rule => ({ ...rule, hours: rates && (rates.get(rule.id) ?? NO_MATCHES) }))
  return (
    <DataPage
      title="Detections"
      aside={
        <Group gap="sm">
          <SegmentedControl
            size="xs"
            aria-label="Which"
            value={which}
            onChange={setWhich}
            data={[
              { value: 'all', label: 'All' },
              { value: 'on', label: 'On' },
              { value: 'rest', label: 'Not on' },
            ]}
          />
          <TextInput
            size="xs"
            w={220}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            leftSection={<MagnifyingGlassIcon />}
            placeholder="Name or log type"
            aria-label="Filter by name or log type"
          />
        </Group>
      }
    >
      <DataTable
        columns={COLUMNS}
        rows={shown}
        keyOf={({ id }) => id}
        minWidth={1040}
        empty={<Empty title="No rule is like this">Fewer letters find more. Rules are files in the content folder.</Empty>}
      />
      {shown && shown.length > 0 && (
        <Text size="sm" c="dimmed">
          Matches are those of the last 24 hours, with a bar for each hour. Errors and time are counted since the start of the
          program. Useful: the share of useful alerts among those of 30 days that somebody rated. Time: the share of the time of
          all rules.
        </Text>
      )}
    </DataPage>
  )
}

function About({ rule: { id, name, why, log_types } }: { readonly rule: Rule }) {
  return (
    <>
      <Anchor fw={600} renderRoot={(props) => <Link to="/detections/$ruleId" params={{ ruleId: id }} {...props} />}>
        {name || id}
      </Anchor>{' '}
      <code>{id}</code>
      <Text size="sm" c="dimmed">
        {why ?? log_types.join(', ')}
      </Text>
    </>
  )
}

function percent(share: number, digits: number): string {
  return `${(100 * share).toFixed(digits)}\u00a0%`
}
