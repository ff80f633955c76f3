import { Center, Loader } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import { ApiProblem, call, onSignedOut } from '../api/client.ts'
import type { Me } from '../api/types.ts'
import { Failure } from '../parts/failure.tsx'
import { SignIn } from './sign-in.tsx'

interface SessionValue {
  readonly me: Me
  /** Whether the account may do this. What it may not do is not offered. */
  may(permission: string): boolean
  signOut(): void
}

const SessionContext = createContext<SessionValue | undefined>(undefined)

export function useSession(): SessionValue {
  const value = useContext(SessionContext)
  if (!value) throw new Error('There is no session here.')
  return value
}

/**
 * Shows its children once somebody is signed in. If the session ends later, the page stays as it is below the sign-in, so that nothing
 * in its forms is lost.
 */
export function Session({ children }: { readonly children: ReactNode }) {
  const client = useQueryClient()
  const [isOver, setIsOver] = useState(false)
  const me = useQuery({ queryKey: ['me'], queryFn: ({ signal }) => call('GET /api/v1/me', { signal }), staleTime: 60_000 })
  useEffect(() => onSignedOut(() => setIsOver(true)), [])
  const signedIn = () => {
    setIsOver(false)
    void client.invalidateQueries()
  }
  if (!me.data) {
    if (me.error instanceof ApiProblem && me.error.status === 401) return <SignIn onDone={signedIn} />
    if (me.error) return <Failure error={me.error} onRetry={() => void me.refetch()} />
    return (
      <Center h="100vh">
        <Loader aria-label="Loading" />
      </Center>
    )
  }
  const { permissions } = me.data
  const signOut = () => void call('POST /api/v1/sign-out').finally(() => location.assign(document.baseURI))
  return (
    <SessionContext.Provider value={{ me: me.data, may: (permission) => permissions.includes(permission), signOut }}>
      {children}
      {isOver && <SignIn onDone={signedIn} isOver />}
    </SessionContext.Provider>
  )
}
