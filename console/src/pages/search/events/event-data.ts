import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { Operations } from '../../../../../src/client/client.ts'
import { type Answer, call } from '../../../api/client.ts'
import { PageStore } from '../results/page-store.ts'
import type { SearchParams } from '../search-params.ts'
import { timesOf } from '../time-range.ts'

export type Ask = Operations['POST /api/v1/search']['body']
export type EventPage = Answer<'POST /api/v1/search'>
export type Histogram = NonNullable<EventPage['histogram']>
export type FoundEvent = EventPage['results'][number]

/** Events that one call reads. */
const PAGE = 200

/** What the API is asked for. Times of a span stay as they are until the search is changed or run again. */
export function useAsk({ types, where, text, since, until }: SearchParams, run: number): Ask {
  // biome-ignore lint/correctness/useExhaustiveDependencies(run): running again moves a span.
  return useMemo(
    () => ({
      ...timesOf({ ...(since !== undefined && { since }), ...(until !== undefined && { until }) }, Date.now()),
      ...(types && { log_types: types }),
      ...(where && { filters: where }),
      ...(text !== undefined && text !== '' && { text }),
    }),
    [types, where, text, since, until, run],
  )
}

/** The newest events that meet all filters, and the number of all of them over time. */
export function useEvents(ask: Ask) {
  return useQuery({
    queryKey: ['events', ask],
    // With what was asked for: while another search runs, the events are those of the one before.
    queryFn: async ({ signal }) => ({ ask, page: await call('POST /api/v1/search', { body: { ...ask, limit: PAGE }, signal }) }),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
    retry: false,
  })
}

/** The events after the first page, read when they come into view. */
export function eventPages(ask: Ask, count: number, { results, next, since, until }: EventPage): PageStore<FoundEvent> {
  return new PageStore({
    count,
    pageSize: PAGE,
    start: { rows: results, next },
    read: async ({ first, limit, after, signal }) => {
      // A cursor is cheaper for the lake than events that are passed over.
      const place = after === undefined ? { skip: first } : { cursor: after }
      const page = await call('POST /api/v1/search', { body: { ...ask, since, until, limit, ...place }, signal })
      return { rows: page.results, next: page.next }
    },
  })
}

/** The most frequent values of a field among the events. */
export function useFieldSummary(ask: Ask, field: string, isWanted = true) {
  const { since, until, log_types, filters, text } = ask
  return useQuery({
    queryKey: ['events', 'field', ask, field],
    queryFn: ({ signal }) =>
      call('POST /api/v1/search/fields', { body: { since, until, log_types, filters, text, field, limit: 10 }, signal }),
    enabled: isWanted && field !== '',
    staleTime: 60_000,
    retry: false,
  })
}
