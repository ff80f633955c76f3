import { useQuery } from '@tanstack/react-query'
import { type Answer, call } from '../../../api/client.ts'
import { useSession } from '../../../session/session.tsx'

export type SavedSearch = Answer<'GET /api/v1/searches'>['results'][number]
export type SavedSearchDetail = Answer<'GET /api/v1/searches/{name}'>

/** The saved and scheduled queries, by name. Whoever may not read the content has none. */
export function useSavedSearches() {
  const { may } = useSession()
  return useQuery({
    queryKey: ['searches'],
    queryFn: async ({ signal }) => (await call('GET /api/v1/searches', { signal })).results,
    enabled: may('content:read'),
    refetchInterval: 15_000,
  })
}

/** One of them with its file, to be changed. */
export function useSavedSearch(name: string | undefined) {
  const { may } = useSession()
  return useQuery({
    queryKey: ['searches', 'one', name],
    queryFn: ({ signal }) => call('GET /api/v1/searches/{name}', { path: { name: name! }, signal }),
    enabled: name !== undefined && may('content:read'),
    retry: false,
    staleTime: 0,
  })
}
