import type { AlertWindow } from '../model/alert.ts'
import type { Effects } from '../model/batch.ts'
import type { AlertNotice } from './engine.ts'
import type { PipelineProgress } from './pipeline-calls.ts'

interface Observed extends Pick<PipelineProgress, 'sourceId' | 'observations'> {
  /** When the batch was received, epoch ms; `undefined` for anything else. */
  readonly receivedMs: number | undefined
  readonly nowMs: number
}

/** What was committed, in numbers. */
export function progressOf(
  { findings, windows, opened, deliveries }: Effects,
  timings: readonly { readonly ruleId: string; readonly seconds: number }[],
  { sourceId, observations, receivedMs, nowMs }: Observed,
): PipelineProgress {
  return {
    sourceId,
    observations,
    matches: [...findings.matches],
    ruleErrors: [...findings.errors],
    lastErrors: [...(findings.lastErrors ?? [])],
    ruleSeconds: timings.map(({ ruleId, seconds }): [string, number] => [ruleId, seconds]),
    latenciesMs: receivedMs === undefined ? [] : opened.map(() => nowMs - receivedMs),
    opened: opened.map(noticeOf),
    grown: grownOf(windows, opened),
    hasDeliveries: deliveries.length > 0,
  }
}

/** Muted ones too: they are alerts that are not sent. */
function grownOf(windows: readonly AlertWindow[], opened: readonly AlertWindow[]): string[] {
  const fresh = new Set(opened)
  return windows.filter((window) => window.opened && !fresh.has(window)).map(({ alertId }) => alertId)
}

/** What is shown to users about an opened alert. */
function noticeOf({ alertId, severity, ruleId, body }: AlertWindow): AlertNotice {
  const { title, latencyMs, sourceLabels } = body
  return { alertId, severity, ruleId, title, latencyMs, sourceLabels }
}
