import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { counted, number } from '../../parts/number.ts'
import { SeverityMark } from '../../parts/severity.tsx'
import { When } from '../../parts/when.tsx'
import classes from './history-result.module.css'
import type { Run } from './on-history.tsx'

type FoundAlert = Run['first_alerts'][number]
type Comparison = NonNullable<Run['comparison']>[number]

const ALERTS: readonly Column<FoundAlert>[] = [
  { name: 'Severity', value: ({ severity }) => severity, show: ({ severity }) => <SeverityMark severity={severity} /> },
  {
    name: 'Alert',
    value: ({ title }) => title,
    show: ({ title, alert_id: id }) =>
      id === null ? (
        title
      ) : (
        <Anchor renderRoot={(props) => <Link to="/alerts/$alertId" params={{ alertId: id }} {...props} />}>{title}</Anchor>
      ),
  },
  {
    name: 'First event',
    value: ({ first_event_time: time }) => time,
    show: ({ first_event_time: time }) => <When time={time} />,
  },
  { name: 'Events', value: (alert) => alert.event_count, show: (alert) => number(alert.event_count), isNumber: true },
]

/** What a run on history found, or, for a changed rule, what it finds in addition and what no longer. */
export function HistoryResult({ run }: { readonly run: Run }) {
  const { comparison, records, notes } = run
  return (
    <div className={classes['result']}>
      <Text>
        {counted(records.read, 'stored event')} judged.
        {comparison?.length === 0 && ' The rule behaves like the one in force: nothing that is judged differs.'}
      </Text>
      {notes.map((note) => (
        <Text key={note} size="sm" c="dimmed" className="foreign">
          {note}
        </Text>
      ))}
      {comparison === null ? <Found run={run} /> : comparison.map((one) => <Difference key={one.rule_id} change={one} />)}
    </div>
  )
}

function Found({ run: { rules, alerts, first_alerts } }: { readonly run: Run }) {
  const known = rules.reduce((sum, rule) => sum + rule.known, 0)
  const matches = rules.reduce((sum, rule) => sum + rule.matches, known)
  const errors = rules.reduce((sum, rule) => sum + rule.errors, 0)
  return (
    <>
      <Text>
        {counted(matches, 'match', 'matches')}
        {known > 0 && `, ${number(known)} of them stored already`}
        {alerts > 0 && `, in ${counted(alerts, 'alert')} that the rule has not raised yet`}
        {errors > 0 && `, ${counted(errors, 'error')}: ${rules.find(({ last_error }) => last_error !== null)?.last_error}`}
      </Text>
      {first_alerts.length > 0 && <Alerts alerts={first_alerts} of={alerts} />}
    </>
  )
}

const ROWS = [
  ['matches', 'Matches'],
  ['alerts', 'Alerts'],
] as const

function Difference({ change }: { readonly change: Comparison }) {
  const { errors, added_alerts, removed_alerts, alerts, last_error } = change
  return (
    <>
      <table className={classes['counts']}>
        <thead>
          <tr>
            <td />
            <th scope="col">In force</th>
            <th scope="col">As edited</th>
            <th scope="col">New</th>
            <th scope="col">Gone</th>
          </tr>
        </thead>
        <tbody>
          {ROWS.map(([name, title]) => (
            <tr key={name}>
              <th scope="row">{title}</th>
              <td>{number(change[name].before)}</td>
              <td>{number(change[name].after)}</td>
              <td>{number(change[name].added)}</td>
              <td>{number(change[name].removed)}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">Errors</th>
            <td>{number(errors.before)}</td>
            <td>{number(errors.after)}</td>
            <td />
            <td />
          </tr>
        </tbody>
      </table>
      {last_error !== null && <Text c="var(--severity-critical)">{last_error}</Text>}
      {added_alerts.length > 0 && (
        <>
          <Text fw={600}>New alerts</Text>
          <Alerts alerts={added_alerts} of={alerts.added} />
        </>
      )}
      {removed_alerts.length > 0 && (
        <>
          <Text fw={600}>Alerts that would be gone</Text>
          <Alerts alerts={removed_alerts} of={alerts.removed} />
        </>
      )}
    </>
  )
}

function Alerts({ alerts, of }: { readonly alerts: readonly FoundAlert[]; readonly of: number }) {
  return (
    <>
      <DataTable
        columns={ALERTS}
        rows={alerts}
        keyOf={({ rule_id, dedup, first_event_time }) => `${rule_id} ${dedup} ${first_event_time}`}
        minWidth={560}
        empty={null}
      />
      {of > alerts.length && (
        <Text size="sm" c="dimmed">
          The first {alerts.length} of {number(of)}.
        </Text>
      )}
    </>
  )
}
