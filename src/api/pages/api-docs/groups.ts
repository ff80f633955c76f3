/** What the operations below `/api/v1/…` are about. */
export const GROUPS: Readonly<Record<string, string>> = {
  alerts: 'Alerts',
  archive: 'Archive',
  audit: 'Audit',
  backtests: 'Backtests',
  backups: 'Backups',
  content: 'Content and its history',
  coverage: 'Coverage',
  dashboards: 'Dashboards',
  'dead-letters': 'Dead letters',
  deletions: 'Deleting data',
  deliveries: 'Deliveries',
  destinations: 'Destinations',
  explain: 'Explanations',
  health: 'Health',
  me: 'Your own account',
  mutes: 'Mutes',
  packs: 'Packs',
  queries: 'Queries that run on their own',
  query: 'Queries that are waited for',
  replays: 'Replays',
  retention: 'Retention',
  risk: 'Entity risk',
  rules: 'Rules',
  schemas: 'Schemas',
  search: 'Search without SQL',
  searches: 'Saved and scheduled searches',
  'sign-in': 'Signing in',
  'sign-out': 'Signing out',
  shippers: 'Programs that send logs',
  sources: 'Sources',
  stream: 'Live updates',
  tables: 'Lookup tables',
  timeline: 'Timelines',
  tokens: 'Tokens',
  users: 'Users',
}

export function titleOf(group: string): string {
  if (Object.hasOwn(GROUPS, group)) return GROUPS[group]!
  const words = group.replaceAll('-', ' ')
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`
}
