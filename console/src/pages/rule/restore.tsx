import { Alert, Button, Group, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ApiProblem, call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { useSession } from '../../session/session.tsx'
import type { RuleDetail, Trial } from './rule-data.ts'
import { TrialView } from './trial-view.tsx'
import type { Version } from './versions.tsx'

interface RestoreProps {
  readonly rule: RuleDetail
  readonly version: Version
}

/** Brings a version back, if its tests pass with the content of now. */
export function Restore({ rule, version }: RestoreProps) {
  const { may } = useSession()
  const client = useQueryClient()
  const restore = useMutation({
    mutationFn: () =>
      call('POST /api/v1/rules/{id}/versions/{number}/restore', {
        path: { id: rule.id, number: String(version.number) },
        body: { revision: rule.source.revision },
      }),
    onSuccess: ({ notes }) => {
      announce(['Restored, and in force', ...notes].join('. '))
      void client.invalidateQueries({ queryKey: ['rules'] })
    },
  })
  if (!may('content:change') || version.is_current || !version.is_stored) return null
  const refused = restore.error instanceof ApiProblem ? (restore.error.body as Trial | undefined) : undefined
  return (
    <>
      <Group my="sm">
        <Button size="xs" loading={restore.isPending} onClick={() => restore.mutate()}>
          Restore this version
        </Button>
        <Text size="sm" c="dimmed">
          Its unit tests run first.
        </Text>
      </Group>
      {restore.error && (
        <Alert color="red" role="alert" mb="sm">
          {restore.error.message}
        </Alert>
      )}
      {refused?.rules && <TrialView trial={refused} />}
    </>
  )
}
