import type { Severity } from '../model/rule.ts'
import type { YamlFile } from './yaml-file.ts'

/** Keys that detections of every kind may have. */
interface AboutKeys {
  readonly DisplayName?: string | undefined
  readonly Description?: string | undefined
  readonly Reference?: string | undefined
  readonly Runbook?: string | undefined
  readonly Tags?: readonly string[] | undefined
  readonly Reports?: Readonly<Record<string, readonly unknown[]>> | undefined
  readonly OutputIds?: readonly string[] | undefined
  readonly Status?: string | undefined
}

/** The values of those keys, with their defaults. */
export function readAbout(yaml: YamlFile, item: AboutKeys) {
  return {
    displayName: item.DisplayName,
    description: item.Description ?? '',
    reference: item.Reference ?? '',
    runbook: item.Runbook ?? '',
    tags: item.Tags ?? [],
    reports: readReports(yaml, item.Reports ?? {}),
    outputIds: item.OutputIds ?? [],
    status: item.Status,
  }
}

/** As written: CIS control 3.10 is not 3.1. */
export function readReports(yaml: YamlFile, reports: Readonly<Record<string, readonly unknown[]>>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(reports).map(([framework, list]) => [
      framework,
      list.map((value, at) => yaml.source(['Reports', framework, at]) ?? String(value)),
    ]),
  )
}

export function readSeverity(severity: string): Severity {
  return severity.toUpperCase() as Severity
}
