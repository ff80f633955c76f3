import { DataPage } from '../../parts/data-page.tsx'
import { useSession } from '../../session/session.tsx'
import { Tokens } from './tokens.tsx'
import { Users } from './users.tsx'

export function Access() {
  const { may } = useSession()
  return (
    <DataPage title="Access">
      {may('users:manage') && <Users />}
      <Tokens />
    </DataPage>
  )
}
