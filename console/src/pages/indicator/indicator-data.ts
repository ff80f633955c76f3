import { useInfiniteQuery } from '@tanstack/react-query'
import { type Answer, call } from '../../api/client.ts'

export type IndicatorTimeline = Answer<'GET /api/v1/timeline'>

const PAGE = 50

/** Everything that the logs say about an indicator, newest first. */
export function useIndicatorTimeline(indicator: string, since: string, until?: string) {
  return useInfiniteQuery({
    queryKey: ['timeline', indicator, since, until],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/timeline', { query: { indicator, since, until, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
  })
}
