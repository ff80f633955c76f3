import { Alert, List, Text } from '@mantine/core'
import { type Answer, ApiProblem } from '../../api/client.ts'
import { counted } from '../../parts/number.ts'
import { Changes } from './version-diff.tsx'

export type TableChange = Answer<'PUT /api/v1/tables/{name}/content'>

interface Refusal {
  readonly content?: { readonly skipped_because: readonly string[] } | null
}

/** What a change leads to: rows that come, go and differ. */
export function TableChangeView({ change }: { readonly change: TableChange }) {
  return (
    <>
      <Text mb="xs">The table would have {counted(change.rows, 'row')}.</Text>
      {change.skipped > 0 && <Text mb="xs">{counted(change.skipped, 'row')} cannot be used:</Text>}
      <Reasons reasons={change.skipped_because} />
      <Reasons reasons={change.passed_over} />
      <Changes diff={change} most={100} />
    </>
  )
}

/** Why a table was not changed. */
export function TableRefusal({ error }: { readonly error: Error }) {
  const body = error instanceof ApiProblem ? (error.body as Refusal | undefined) : undefined
  return (
    <Alert color="red" role="alert" my="sm" className="foreign">
      {error.message}
      <Reasons reasons={body?.content?.skipped_because ?? []} />
    </Alert>
  )
}

function Reasons({ reasons }: { readonly reasons: readonly string[] }) {
  if (reasons.length === 0) return null
  return (
    <List my="xs">
      {reasons.map((reason) => (
        <List.Item key={reason} className="foreign">
          {reason}
        </List.Item>
      ))}
    </List>
  )
}
