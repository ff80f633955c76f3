import { Code, Loader, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import type { AlertDetail, Enrichment } from '../../api/types.ts'
import { Failure } from '../../parts/failure.tsx'
import { Section } from '../../parts/section.tsx'
import { useSession } from '../../session/session.tsx'
import { RuleCode } from '../rule/rule-code.tsx'
import { Explanation } from './explanation.tsx'
import classes from './why.module.css'

/** Why the rule matched: the rows of tables that were joined in, and the lines of the rule that decided. */
export function Why({ alert }: { readonly alert: AlertDetail }) {
  return (
    <Section title="Why">
      {alert.enrichment.map((one) => (
        <TableRow key={`${one.table} ${one.selector} ${one.match}`} enrichment={one} />
      ))}
      <Decision alert={alert} />
    </Section>
  )
}

function TableRow({ enrichment: { table, selector, match, version, row } }: { readonly enrichment: Enrichment }) {
  const shown = Object.entries(row).filter(([name]) => !name.startsWith('p_'))
  return (
    <div className={classes['row']}>
      <Text>
        <code>{selector}</code> is in the table <b>{table}</b>: <code className="foreign">{String(match)}</code>{' '}
        <Text span c="dimmed">
          (version {String(version)})
        </Text>
      </Text>
      {shown.length > 1 && (
        <dl className={classes['values']}>
          {shown.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="foreign">{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  )
}

function Decision({ alert }: { readonly alert: AlertDetail }) {
  const { may } = useSession()
  const event = alert.sample_event
  const rowId = event?.['p_row_id']
  // The rows that a query returned are not in the lake, so the row itself is judged.
  const subject = alert.type === 'SCHEDULED_RULE' ? { event: event ?? undefined } : { row_id: String(rowId) }
  const explanation = useQuery({
    queryKey: ['explain', alert.rule_id, rowId],
    queryFn: ({ signal }) => call('POST /api/v1/explain', { body: { rule: alert.rule_id, ...subject }, signal }),
    enabled: may('events:read') && typeof rowId === 'string' && ['RULE', 'SCHEDULED_RULE', 'POLICY'].includes(alert.type),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  })
  if (explanation.isLoading)
    return (
      <div className={classes['decision']} aria-busy="true">
        <Text c="dimmed">
          <Loader size="xs" mr="xs" /> Running the rule on its first event…
        </Text>
      </div>
    )
  if (explanation.error) return <Failure error={explanation.error} onRetry={() => void explanation.refetch()} />
  if (!explanation.data) return null
  const isOther = explanation.data.rule_version !== alert.rule_version
  return (
    <div className={classes['decision']}>
      {isOther && (
        <Text c="dimmed" size="sm" mb={6}>
          The rule has changed since: this is how version <Code>{explanation.data.rule_version}</Code> decides today.
        </Text>
      )}
      <Explanation explanation={explanation.data} />
      <RuleCode ruleId={alert.rule_id} decided={explanation.data.decided} />
    </div>
  )
}
