import { useQuery } from '@tanstack/react-query'
import { type Answer, call } from '../../api/client.ts'

export type RuleDetail = Answer<'GET /api/v1/rules/{id}'>

/** What the unit tests of a rule said. */
export type Trial = Answer<'POST /api/v1/rules/test'>

/** The text of a rule's files. */
export interface Draft {
  readonly yaml: string
  readonly code: string | null
}

export function draftOf({ yaml, code }: Draft): { yaml: string; code?: string } {
  return { yaml, ...(code !== null && { code }) }
}

export function useRule(ruleId: string, enabled = true) {
  return useQuery({
    queryKey: ['rules', ruleId],
    enabled,
    queryFn: ({ signal }) => call('GET /api/v1/rules/{id}', { path: { id: ruleId }, signal }),
  })
}
