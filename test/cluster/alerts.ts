import type { Caracal } from '../support/caracal.ts'

export interface Alert {
  readonly alert_id: string
  readonly rule_id: string
  readonly type: string
  readonly latency_ms: number
  readonly event_count: number
  readonly [key: string]: unknown
}

/** All alerts that rules made, or those of one rule. */
export async function alertsOf(caracal: Caracal, rule?: string): Promise<Alert[]> {
  const all: Alert[] = []
  for (let cursor = ''; ; ) {
    const query = new URLSearchParams({ limit: '200', ...(rule && { rule }), ...(cursor && { cursor }) })
    const answer = await caracal.fetch(`/api/v1/alerts?${query}`)
    if (!answer.ok) throw new Error(`the list of alerts answered ${answer.status}: ${await answer.text()}`)
    const page = (await answer.json()) as { results: Alert[]; next: string | null }
    all.push(...page.results.filter(({ type }) => type !== 'SYSTEM'))
    if (!page.next) return all
    cursor = page.next
  }
}
