import { Anchor, Breadcrumbs, Group, Skeleton, Switch, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { DataPage } from '../../parts/data-page.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Failure } from '../../parts/failure.tsx'
import { counted, number } from '../../parts/number.ts'
import { SeverityMark } from '../../parts/severity.tsx'
import { StateMark } from '../../parts/state.tsx'
import { When } from '../../parts/when.tsx'
import { useSession } from '../../session/session.tsx'
import { type RuleDetail, useRule } from './rule-data.ts'
import { RuleEditor } from './rule-editor.tsx'
import { Versions } from './versions.tsx'
import { WhyNot } from './why-not.tsx'

const route = getRouteApi('/detections/$ruleId')

const TONES = { on: 'good', off: 'off', waiting: 'warn', erring: 'bad' } as const

export function RulePage() {
  const { ruleId } = route.useParams()
  const rule = useRule(ruleId)
  if (rule.error) return <Failure error={rule.error} onRetry={() => void rule.refetch()} />
  return (
    <DataPage title={rule.data?.name || ruleId} aside={rule.data && <OnOff rule={rule.data} />}>
      <Breadcrumbs>
        <Anchor renderRoot={(props) => <Link to="/detections" {...props} />}>Detections</Anchor>
        <Text c="dimmed" className="mono">
          {ruleId}
        </Text>
      </Breadcrumbs>
      {rule.data ? <Rule rule={rule.data} /> : <Skeleton height="30rem" />}
    </DataPage>
  )
}

function Rule({ rule }: { readonly rule: RuleDetail }) {
  return (
    <>
      <Group gap="xl">
        <SeverityMark severity={rule.severity} />
        <StateMark tone={TONES[rule.state]}>{rule.state}</StateMark>
        <Text className="foreign">{rule.why ?? rule.log_types.join(', ')}</Text>
      </Group>
      {rule.problems.map((problem) => (
        <Text key={problem} c="var(--severity-critical)">
          {problem}
        </Text>
      ))}
      <FactList
        facts={[
          [
            'Alerts',
            <Anchor key="alerts" renderRoot={(props) => <Link to="/alerts" search={{ rule: rule.id }} {...props} />}>
              {counted(rule.alerts.raised, 'alert')} in 30 days
            </Anchor>,
          ],
          ['Quality', qualityOf(rule)],
          ['Matches', `${number(rule.matches)} since the start`],
          ['Last match', rule.last_match !== null && <When key="match" time={rule.last_match} />],
          ['Errors', rule.last_error !== null && `${number(rule.errors)}, the last: ${rule.last_error.message}`],
          ['Cost', costOf(rule)],
          ['MITRE ATT&CK', rule.techniques.length > 0 && <Techniques key="techniques" techniques={rule.techniques} />],
        ]}
      />
      <RuleEditor key={rule.source.revision} rule={rule} />
      <WhyNot ruleId={rule.id} />
      <Versions rule={rule} />
    </>
  )
}

/** The ids are links of their own and not part of a sentence, where links would have to be underlined. */
function Techniques({ techniques }: Pick<RuleDetail, 'techniques'>) {
  return techniques.map(({ tactic, tactic_name, technique, name }) => (
    <div key={`${tactic} ${technique}`}>
      <Anchor display="inline-block" renderRoot={(props) => <Link to="/coverage" search={{ tactic, technique }} {...props} />}>
        {technique}
      </Anchor>{' '}
      {name !== null && `${name}, `}
      <Text span c="dimmed">
        {tactic_name ?? tactic}
      </Text>
    </div>
  ))
}

function qualityOf({ alerts: { useful, noise, precision } }: RuleDetail): string | undefined {
  if (precision === null) return undefined
  return `${Math.round(100 * precision)} % useful (${useful} useful, ${noise} noise)`
}

function costOf({ cost: { seconds, share } }: RuleDetail): string {
  const part = share === null ? '' : `, ${(100 * share).toFixed(1)} % of the time of all rules`
  return `${seconds.toFixed(2)} s since the start${part}`
}

function OnOff({ rule }: { readonly rule: RuleDetail }) {
  const { may } = useSession()
  const client = useQueryClient()
  const change = useMutation({
    mutationFn: (enabled: boolean) => call('PATCH /api/v1/rules/{id}', { path: { id: rule.id }, body: { enabled } }),
    onSuccess: (_, enabled) => {
      announce(enabled ? 'The rule is on' : 'The rule is off', () => change.mutate(!enabled))
    },
    onError: (error) => announce(error.message),
    onSettled: () => client.invalidateQueries({ queryKey: ['rules'] }),
  })
  return (
    <Switch
      label="On"
      checked={rule.enabled}
      disabled={!may('content:change') || change.isPending}
      onChange={(event) => change.mutate(event.currentTarget.checked)}
    />
  )
}
