import { Alert, Button, Group } from '@mantine/core'
import { ApiProblem } from '../api/client.ts'

interface FailureProps {
  readonly error: unknown
  onRetry?(): void
}

/** What failed, in the server's words, and a way to try again. */
export function Failure({ error, onRetry }: FailureProps) {
  const message = error instanceof Error ? error.message : String(error)
  const isRefused = error instanceof ApiProblem && error.status === 403
  return (
    <Alert
      color={isRefused ? 'gray' : 'red'}
      title={isRefused ? 'Not for this account' : 'That did not work'}
      role="alert"
      m="md"
    >
      <Group justify="space-between" align="flex-start">
        <span>{message}</span>
        {onRetry && !isRefused && (
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  )
}
