import { List, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { DataPage } from '../../parts/data-page.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Section } from '../../parts/section.tsx'
import { StateMark } from '../../parts/state.tsx'
import { WhatIsKept } from './kept.tsx'

const WORDS = {
  ok: 'Everything that arrives is stored and judged.',
  degraded: 'Something needs attention. Nothing is lost.',
  failing: 'Something fails.',
} as const

const TONES = { ok: 'good', degraded: 'warn', failing: 'bad' } as const

export function Health() {
  const health = useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => call('GET /api/v1/health', { signal }),
    refetchInterval: 5000,
  })
  if (health.error) return <Failure error={health.error} onRetry={() => void health.refetch()} />
  if (!health.data) return null
  const { status, problems, notices } = health.data
  return (
    <DataPage title="Health">
      <div role="status">
        <StateMark tone={TONES[status]}>{WORDS[status]}</StateMark>
      </div>
      {problems.length > 0 && (
        <List>
          {problems.map((problem) => (
            <List.Item key={problem}>{problem}</List.Item>
          ))}
        </List>
      )}
      {notices.length > 0 && (
        <Section title="Worth knowing">
          <Stack gap="xs">
            {notices.map((notice) => (
              <Text key={notice}>{notice}</Text>
            ))}
          </Stack>
        </Section>
      )}
      <WhatIsKept />
    </DataPage>
  )
}
