import { Button, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { useSession } from '../../session/session.tsx'

/** Sends a test alert, and says what the service answered. */
export function TestButton({ id }: { readonly id: string }) {
  const { may } = useSession()
  const client = useQueryClient()
  const test = useMutation({
    mutationFn: () => call('POST /api/v1/destinations/{id}/test', { path: { id } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['destinations'] }),
  })
  if (!may('destinations:test')) return null
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        loading={test.isPending}
        onClick={() => test.mutate()}
        aria-label={`Send a test alert to ${id}`}
      >
        Send a test
      </Button>
      <div aria-live="polite">
        {test.error && (
          <Text size="sm" c="var(--severity-critical)" className="foreign" role="alert">
            {test.error.message}
          </Text>
        )}
        {test.data && (
          <Text size="sm" c="var(--good)">
            Accepted
          </Text>
        )}
      </div>
    </>
  )
}
