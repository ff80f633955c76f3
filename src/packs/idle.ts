import type { Content } from './content.ts'

/** What is loaded and never runs, by name and why. */
export function idleNotices({ scheduledQueries, scheduledRules }: Content): string[] {
  const judged = new Set(scheduledRules.filter(({ enabled }) => enabled).flatMap((rule) => rule.scheduledQueries ?? []))
  return scheduledQueries.flatMap(({ file, name, enabled, email }) => [
    ...(enabled && !judged.has(name)
      ? [`${file}: not run, since no enabled rule judges its rows: scheduled_query '${name}'`]
      : []),
    ...(enabled && email ? [`${file}: not supported yet: EmailConfig of scheduled_query '${name}'`] : []),
  ])
}
