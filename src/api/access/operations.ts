import type { Role } from '../../model/account.ts'

/** What may be done through the API, and by which roles. */
export const PERMISSIONS = {
  'alerts:read': ['admin', 'analyst', 'viewer'],
  'alerts:change': ['admin', 'analyst'],
  'backups:make': ['admin'],
  'content:read': ['admin', 'analyst', 'viewer'],
  'content:change': ['admin'],
  'deliveries:read': ['admin', 'analyst', 'viewer'],
  'deliveries:resend': ['admin', 'analyst'],
  'events:read': ['admin', 'analyst', 'viewer'],
  'health:read': ['admin', 'analyst', 'viewer'],
  'own:read': ['admin', 'analyst', 'viewer'],
  'replays:read': ['admin', 'analyst', 'viewer'],
  'replays:run': ['admin', 'analyst'],
  'sources:read': ['admin', 'analyst', 'viewer'],
  'sources:delete': ['admin'],
  'tables:read': ['admin', 'analyst', 'viewer'],
  'tables:refresh': ['admin', 'analyst'],
  'tokens:manage': ['admin'],
} as const satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof PERMISSIONS

/** What an operation needs, and what callers get who may only see some log types. */
export interface Terms {
  readonly needs: Permission
  /**
   * `seen`: what the engine shows them (`src/api/access/sight.ts`). `all`: it shows nothing about events. `closed`: it is refused, because
   * it cannot be limited to log types.
   */
  readonly narrowed: 'seen' | 'all' | 'closed'
}

/** Every operation of the API. One that is missing is only open to administrators. */
export const OPERATIONS: Readonly<Record<string, Terms>> = {
  'GET /api/v1/health': { needs: 'health:read', narrowed: 'closed' },
  'GET /metrics': { needs: 'health:read', narrowed: 'closed' },
  'POST /api/v1/backups': { needs: 'backups:make', narrowed: 'closed' },
  // Each of their tools is a call of its own, with its own terms.
  'POST /mcp': { needs: 'own:read', narrowed: 'all' },
  'POST /mcp/write': { needs: 'own:read', narrowed: 'all' },
  'GET /api/v1/openapi.json': { needs: 'own:read', narrowed: 'all' },
  'GET /api/v1/me': { needs: 'own:read', narrowed: 'all' },
  'GET /api/v1/audit': { needs: 'events:read', narrowed: 'closed' },
  'GET /api/v1/tokens': { needs: 'tokens:manage', narrowed: 'closed' },
  'POST /api/v1/tokens': { needs: 'tokens:manage', narrowed: 'closed' },
  'POST /api/v1/tokens/{id}/revoke': { needs: 'tokens:manage', narrowed: 'closed' },
  'GET /api/v1/alerts': { needs: 'alerts:read', narrowed: 'seen' },
  'PATCH /api/v1/alerts': { needs: 'alerts:change', narrowed: 'seen' },
  'GET /api/v1/alerts/{id}': { needs: 'alerts:read', narrowed: 'seen' },
  'PATCH /api/v1/alerts/{id}': { needs: 'alerts:change', narrowed: 'seen' },
  'GET /api/v1/alerts/{id}/events': { needs: 'alerts:read', narrowed: 'seen' },
  'GET /api/v1/alerts/{id}/bundle': { needs: 'events:read', narrowed: 'closed' },
  'GET /api/v1/alerts/{id}/timeline': { needs: 'alerts:read', narrowed: 'seen' },
  'POST /api/v1/alerts/{id}/comments': { needs: 'alerts:change', narrowed: 'seen' },
  'POST /api/v1/alerts/{id}/merge': { needs: 'alerts:change', narrowed: 'seen' },
  'POST /api/v1/alerts/{id}/unmerge': { needs: 'alerts:change', narrowed: 'seen' },
  'GET /api/v1/alerts/{id}/related': { needs: 'alerts:read', narrowed: 'seen' },
  'GET /api/v1/mutes': { needs: 'alerts:read', narrowed: 'closed' },
  'POST /api/v1/mutes': { needs: 'alerts:change', narrowed: 'closed' },
  'GET /api/v1/mutes/{id}': { needs: 'alerts:read', narrowed: 'closed' },
  'POST /api/v1/alerts/{id}/snooze': { needs: 'alerts:change', narrowed: 'closed' },
  'POST /api/v1/mutes/{id}/end': { needs: 'alerts:change', narrowed: 'closed' },
  'POST /api/v1/query': { needs: 'events:read', narrowed: 'seen' },
  'GET /api/v1/timeline': { needs: 'events:read', narrowed: 'seen' },
  'POST /api/v1/explain': { needs: 'events:read', narrowed: 'closed' },
  'GET /api/v1/dead-letters': { needs: 'events:read', narrowed: 'closed' },
  'GET /api/v1/tables': { needs: 'tables:read', narrowed: 'closed' },
  'POST /api/v1/tables/{name}/refresh': { needs: 'tables:refresh', narrowed: 'closed' },
  'GET /api/v1/tables/{name}': { needs: 'tables:read', narrowed: 'closed' },
  'GET /api/v1/tables/{name}/row': { needs: 'tables:read', narrowed: 'closed' },
  'GET /api/v1/tables/{name}/diff': { needs: 'tables:read', narrowed: 'closed' },
  'GET /api/v1/sources': { needs: 'sources:read', narrowed: 'closed' },
  'DELETE /api/v1/sources/{id}/data': { needs: 'sources:delete', narrowed: 'closed' },
  'GET /api/v1/deliveries': { needs: 'deliveries:read', narrowed: 'closed' },
  'POST /api/v1/deliveries/resend': { needs: 'deliveries:resend', narrowed: 'closed' },
  'GET /api/v1/rules': { needs: 'content:read', narrowed: 'closed' },
  'GET /api/v1/content': { needs: 'content:read', narrowed: 'closed' },
  'POST /api/v1/content/reload': { needs: 'content:change', narrowed: 'closed' },
  'GET /api/v1/content/history': { needs: 'content:read', narrowed: 'closed' },
  'GET /api/v1/content/history/{generation}': { needs: 'content:read', narrowed: 'closed' },
  'POST /api/v1/content/undo': { needs: 'content:change', narrowed: 'closed' },
  'POST /api/v1/replays': { needs: 'replays:run', narrowed: 'closed' },
  'GET /api/v1/replays': { needs: 'replays:read', narrowed: 'closed' },
  'GET /api/v1/replays/{id}': { needs: 'replays:read', narrowed: 'closed' },
  'POST /api/v1/backtests': { needs: 'replays:run', narrowed: 'closed' },
  'DELETE /api/v1/replays/{id}': { needs: 'replays:run', narrowed: 'closed' },
}
