import { Button, type ButtonProps } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { number } from '../../parts/number.ts'
import { useSession } from '../../session/session.tsx'

interface RefreshButtonProps {
  readonly name: string
  readonly state: string
  readonly size: NonNullable<ButtonProps['size']>
}

/** Reads a table again from where it comes from. */
export function RefreshButton({ name, state, size }: RefreshButtonProps) {
  const { may } = useSession()
  const client = useQueryClient()
  const refresh = useMutation({
    mutationFn: () => call('POST /api/v1/tables/{name}/refresh', { path: { name } }),
    onSuccess: (after) => announce(after.problem === null ? `Refreshed ${name}: ${number(after.rows)} rows` : after.problem),
    onError: (error) => announce(error.message),
    onSettled: () => client.invalidateQueries({ queryKey: ['tables'] }),
  })
  if (!may('tables:refresh') || state === 'static') return null
  return (
    <Button size={size} variant="default" loading={refresh.isPending} onClick={() => refresh.mutate()}>
      Refresh
    </Button>
  )
}
