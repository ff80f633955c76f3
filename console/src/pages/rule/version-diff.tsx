import { SegmentedControl, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { call } from '../../api/client.ts'
import { Failure } from '../../parts/failure.tsx'
import type { RuleDetail } from './rule-data.ts'

const ContentDiff = lazy(() => import('../../parts/content-diff.tsx'))

interface VersionDiffProps {
  readonly rule: RuleDetail
  readonly number: number
  /** The version before; `undefined`: none is stored. */
  readonly previous: number | undefined
}

interface Texts {
  readonly yaml: string | null
  readonly code: string | null
}

/** A version's texts: what it changed, or how the rule differs from it now. */
export function VersionDiff({ rule, number, previous }: VersionDiffProps) {
  const [against, setAgainst] = useState<'before' | 'now'>('before')
  const version = useVersion(rule.id, number)
  const before = useVersion(rule.id, previous)
  const error = version.error ?? before.error
  if (error) return <Failure error={error} onRetry={() => void Promise.all([version.refetch(), before.refetch()])} />
  const isRead = version.data !== undefined && (previous === undefined || before.data !== undefined)
  if (!isRead) return <Skeleton height={200} aria-busy="true" />
  if (version.data.yaml === null) return <Text c="dimmed">The texts of this version are no longer stored.</Text>
  const [from, to]: readonly [Texts | undefined, Texts] =
    against === 'before' ? [before.data, version.data] : [version.data, rule.source]
  return (
    <>
      <SegmentedControl
        my="sm"
        size="xs"
        aria-label="Compare"
        value={against}
        onChange={(value) => setAgainst(value as typeof against)}
        data={[
          { value: 'before', label: 'What it changed' },
          { value: 'now', label: 'What has changed since' },
        ]}
      />
      <Suspense fallback={<Skeleton height={200} />}>
        <Diff language="yaml" label="Changes of the YAML" before={from?.yaml} after={to.yaml} />
        <Diff language="python" label="Changes of the code" before={from?.code} after={to.code} />
      </Suspense>
    </>
  )
}

interface DiffProps {
  readonly language: 'yaml' | 'python'
  readonly label: string
  readonly before: string | null | undefined
  readonly after: string | null
}

function Diff({ language, label, before, after }: DiffProps) {
  const [was, is] = [before ?? '', after ?? '']
  if (was === is) return null
  return <ContentDiff language={language} label={label} before={was} after={is} />
}

/** One version with its texts. They never change. */
function useVersion(ruleId: string, number: number | undefined) {
  return useQuery({
    queryKey: ['rules', ruleId, 'versions', number],
    enabled: number !== undefined,
    queryFn: ({ signal }) =>
      call('GET /api/v1/rules/{id}/versions/{number}', { path: { id: ruleId, number: String(number) }, signal }),
  })
}
