import { Anchor, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type Answer, call } from '../../api/client.ts'
import { DataPage } from '../../parts/data-page.tsx'
import { Failure } from '../../parts/failure.tsx'
import { counted } from '../../parts/number.ts'
import { CoverageRules } from './coverage-rules.tsx'
import { Matrix } from './matrix.tsx'

export type CoverageAnswer = Answer<'GET /api/v1/coverage'>
export type Tactic = CoverageAnswer['tactics'][number]

const route = getRouteApi('/coverage')

/** Which techniques of MITRE ATT&CK the rules look for, and which of them were seen. */
export function Coverage() {
  const { tactic, technique } = route.useSearch()
  const navigate = route.useNavigate()
  const coverage = useQuery({
    queryKey: ['rules', 'coverage'],
    queryFn: ({ signal }) => call('GET /api/v1/coverage', { signal }),
    refetchInterval: 15_000,
  })
  if (coverage.error) return <Failure error={coverage.error} onRetry={() => void coverage.refetch()} />
  const tactics = coverage.data?.tactics ?? []
  const open = tactics.find((one) => one.tactic === tactic)
  return (
    <DataPage title="Coverage of MITRE ATT&CK">
      <Text c="dimmed">
        Techniques that rules name in their metadata, with the number of rules that look for them. The more a rule matched since
        the start, the stronger its colour.
      </Text>
      {coverage.data ? <Matrix tactics={tactics} /> : <Skeleton height="24rem" aria-busy="true" />}
      {coverage.data && coverage.data.without.length > 0 && (
        <Text>
          {counted(coverage.data.without.length, 'rule')} without a technique:{' '}
          {coverage.data.without.slice(0, 20).map((id, i) => (
            <span key={id}>
              {i > 0 && ', '}
              <Anchor
                renderRoot={(props) => <Link to="/detections/$ruleId" params={{ ruleId: id }} {...props} />}
                className="foreign"
              >
                {id}
              </Anchor>
            </span>
          ))}
          {coverage.data.without.length > 20 && ' …'}
        </Text>
      )}
      <CoverageRules tactic={open} technique={technique} onClose={() => void navigate({ search: {} })} />
    </DataPage>
  )
}
