// Made from the API's description by `npm run client`. Change the routes, not this file.

/** Every operation of the API: what it takes, and what it answers. */
export interface Operations {
  /** Everything that endangers the promise that nothing is lost and no rule is silently off. */
  readonly 'GET /api/v1/health': {
    readonly answer: {
      readonly status: 'ok' | 'degraded' | 'failing'
      readonly problems: readonly string[]
      readonly system_problems: readonly {
        readonly what:
          | 'ButtonsDown'
          | 'CertificateExpiring'
          | 'ClockJumped'
          | 'ContentBroken'
          | 'ContentStale'
          | 'DatagramsLost'
          | 'DeadLetters'
          | 'DeliveryDead'
          | 'DestinationDown'
          | 'DiskLow'
          | 'HeartbeatFailed'
          | 'LakeCapped'
          | 'LakeDown'
          | 'LakeNotArchived'
          | 'LakeNotPruned'
          | 'LakeReplaced'
          | 'LakeTooLarge'
          | 'LakeUneven'
          | 'NameUnknown'
          | 'NodeMissing'
          | 'ContentDiffers'
          | 'WorkerDown'
          | 'PathStuck'
          | 'QueryFailed'
          | 'QueryNotMailed'
          | 'QueryOff'
          | 'QueryOverdue'
          | 'ReaderStuck'
          | 'RetroMatchCut'
          | 'RowsLost'
          | 'RuleBlind'
          | 'RuleLimited'
          | 'RuleOff'
          | 'RulesImpaired'
          | 'SourceSilent'
          | 'SourceVolume'
          | 'SpoolAway'
          | 'SpoolFull'
          | 'StateGrows'
          | 'TableBudgetSpent'
          | 'TableFull'
          | 'TableKeyRefused'
          | 'TableRefreshFailed'
          | 'TableRefused'
          | 'TableStale'
          | 'TracesNotSent'
        readonly key: string
        readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
        readonly message: string
        readonly covers: readonly string[]
        readonly since_time: string
      }[]
      readonly notices: readonly string[]
      readonly nodes?:
        | readonly {
            readonly name: string
            readonly roles: readonly string[]
            readonly version: string
            readonly address: string
            readonly started_time: string
            readonly silent_seconds: number
          }[]
        | undefined
    }
  }
  /** How many alerts meet a filter, and how many would with another severity, status, rule or owner in it. */
  readonly 'GET /api/v1/alerts/counts': {
    readonly query?: {
      readonly severity?: readonly ('INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL')[] | undefined
      readonly status?: readonly ('OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED')[] | undefined
      readonly rule?: string | undefined
      readonly owner?: string | undefined
      readonly quality?: 'USEFUL' | 'NOISE' | undefined
      readonly tag?: string | undefined
      readonly log_type?: string | undefined
      readonly indicator?: string | undefined
      readonly text?: string | undefined
      readonly since?: string | undefined
      readonly until?: string | undefined
      readonly muted?: 'no' | 'only' | 'all' | undefined
      readonly mute?: string | undefined
      readonly held?: 'only' | undefined
      readonly merged?: 'no' | 'only' | 'all' | undefined
    }
    readonly answer: {
      readonly total: number
      readonly severities: readonly { readonly value: string | null; readonly count: number }[]
      readonly statuses: readonly { readonly value: string | null; readonly count: number }[]
      readonly rules: readonly { readonly value: string | null; readonly count: number }[]
      readonly owners: readonly { readonly value: string | null; readonly count: number }[]
      readonly complete: boolean
    }
  }
  /** Alerts, newest first. */
  readonly 'GET /api/v1/alerts': {
    readonly query?: {
      readonly severity?: readonly ('INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL')[] | undefined
      readonly status?: readonly ('OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED')[] | undefined
      readonly rule?: string | undefined
      readonly owner?: string | undefined
      readonly quality?: 'USEFUL' | 'NOISE' | undefined
      readonly tag?: string | undefined
      readonly log_type?: string | undefined
      readonly indicator?: string | undefined
      readonly text?: string | undefined
      readonly since?: string | undefined
      readonly until?: string | undefined
      readonly muted?: 'no' | 'only' | 'all' | undefined
      readonly mute?: string | undefined
      readonly held?: 'only' | undefined
      readonly merged?: 'no' | 'only' | 'all' | undefined
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    }
    readonly answer: {
      readonly results: readonly {
        readonly alert_id: string
        readonly rule_id: string
        readonly rule_name: string
        readonly rule_version: string | null
        readonly retroactive: boolean
        readonly type:
          | 'RULE'
          | 'RULE_ERROR'
          | 'SCHEDULED_RULE'
          | 'SCHEDULED_RULE_ERROR'
          | 'CORRELATION_RULE'
          | 'CORRELATION_RULE_ERROR'
          | 'POLICY'
          | 'POLICY_ERROR'
          | 'SYSTEM'
        readonly title: string
        readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
        readonly status: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED'
        readonly reason: string | null
        readonly quality: 'USEFUL' | 'NOISE' | null
        readonly owner: string | null
        readonly context_tags: readonly string[]
        readonly version: number
        readonly muted_by: string | null
        readonly merged_into: string | null
        readonly hold: { readonly reason: string; readonly by: string; readonly since_time: string } | null
        readonly dedup: string
        readonly event_count: number
        readonly created_time: string
        readonly updated_time: string
        readonly first_event_time: string
        readonly last_event_time: string
        readonly log_types: readonly string[]
        readonly source_labels: readonly string[]
        readonly latency_ms: number | null
      }[]
      readonly next: string | null
    }
  }
  /** Changes up to 1000 alerts alike: those named, or those that a filter chooses. */
  readonly 'PATCH /api/v1/alerts': {
    readonly body: {
      readonly ids?: readonly string[] | undefined
      readonly filter?:
        | {
            readonly severity?: readonly ('INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL')[] | undefined
            readonly status?: readonly ('OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED')[] | undefined
            readonly rule?: string | undefined
            readonly owner?: string | undefined
            readonly quality?: 'USEFUL' | 'NOISE' | undefined
            readonly tag?: string | undefined
            readonly log_type?: string | undefined
            readonly indicator?: string | undefined
            readonly text?: string | undefined
            readonly since?: string | undefined
            readonly until?: string | undefined
            readonly muted?: 'no' | 'only' | 'all' | undefined
            readonly mute?: string | undefined
            readonly held?: 'only' | undefined
            readonly merged?: 'no' | 'only' | 'all' | undefined
          }
        | undefined
      readonly change: {
        readonly status?: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED' | undefined
        readonly reason?: string | null | undefined
        readonly quality?: 'USEFUL' | 'NOISE' | null | undefined
        readonly owner?: string | null | undefined
        readonly add_tags?: readonly string[] | undefined
        readonly remove_tags?: readonly string[] | undefined
      }
    }
    readonly answer: {
      readonly results: readonly {
        readonly id: string
        readonly outcome: 'changed' | 'unchanged' | 'not_found' | 'conflict' | 'merged' | 'too_many' | 'hidden'
        readonly message: string | null
        readonly alert: {
          readonly alert_id: string
          readonly rule_id: string
          readonly rule_name: string
          readonly rule_version: string | null
          readonly retroactive: boolean
          readonly type:
            | 'RULE'
            | 'RULE_ERROR'
            | 'SCHEDULED_RULE'
            | 'SCHEDULED_RULE_ERROR'
            | 'CORRELATION_RULE'
            | 'CORRELATION_RULE_ERROR'
            | 'POLICY'
            | 'POLICY_ERROR'
            | 'SYSTEM'
          readonly title: string
          readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
          readonly status: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED'
          readonly reason: string | null
          readonly quality: 'USEFUL' | 'NOISE' | null
          readonly owner: string | null
          readonly context_tags: readonly string[]
          readonly version: number
          readonly muted_by: string | null
          readonly merged_into: string | null
          readonly hold: { readonly reason: string; readonly by: string; readonly since_time: string } | null
          readonly dedup: string
          readonly event_count: number
          readonly created_time: string
          readonly updated_time: string
          readonly first_event_time: string
          readonly last_event_time: string
          readonly log_types: readonly string[]
          readonly source_labels: readonly string[]
          readonly latency_ms: number | null
        } | null
      }[]
    }
  }
  /** One alert, with everything about why it was raised. */
  readonly 'GET /api/v1/alerts/{id}': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly alert_id: string
      readonly rule_id: string
      readonly rule_name: string
      readonly rule_version: string | null
      readonly retroactive: boolean
      readonly type:
        | 'RULE'
        | 'RULE_ERROR'
        | 'SCHEDULED_RULE'
        | 'SCHEDULED_RULE_ERROR'
        | 'CORRELATION_RULE'
        | 'CORRELATION_RULE_ERROR'
        | 'POLICY'
        | 'POLICY_ERROR'
        | 'SYSTEM'
      readonly title: string
      readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
      readonly status: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED'
      readonly reason: string | null
      readonly quality: 'USEFUL' | 'NOISE' | null
      readonly owner: string | null
      readonly context_tags: readonly string[]
      readonly version: number
      readonly muted_by: string | null
      readonly merged_into: string | null
      readonly hold: { readonly reason: string; readonly by: string; readonly since_time: string } | null
      readonly dedup: string
      readonly event_count: number
      readonly created_time: string
      readonly updated_time: string
      readonly first_event_time: string
      readonly last_event_time: string
      readonly log_types: readonly string[]
      readonly source_labels: readonly string[]
      readonly latency_ms: number | null
      readonly learned: { readonly table: string; readonly value: string; readonly time: string } | null
      readonly threshold: number
      readonly window_start_time: string
      readonly window_end_time: string
      readonly description: string
      readonly reference: string
      readonly runbook: string
      readonly tags: readonly string[]
      readonly reports: Readonly<Record<string, readonly string[]>>
      readonly function_errors: Readonly<Record<string, string>>
      readonly indicators: Readonly<Record<string, readonly string[]>>
      readonly indicators_cut: boolean
      readonly summaries: readonly {
        readonly attribute: string
        readonly values: readonly { readonly value: string; readonly count: number }[]
        readonly estimated: boolean
      }[]
      readonly context: Readonly<Record<string, unknown>> | null
      readonly enrichment: readonly {
        readonly table: string
        readonly selector: string
        readonly match?: unknown | undefined
        readonly version?: unknown | undefined
        readonly row: Readonly<Record<string, unknown>>
      }[]
      readonly sample_event: Readonly<Record<string, unknown>> | null
      readonly deliveries: readonly {
        readonly delivery_id: string
        readonly destination: string
        readonly kind: 'opened' | 'updated' | 'resolved' | 'changed' | 'test' | 'digest'
        readonly state: 'pending' | 'delivered' | 'dead'
        readonly tries: number
        readonly next_try_time: string | null
        readonly error: string | null
      }[]
      readonly merged_alerts: readonly {
        readonly alert_id: string
        readonly rule_id: string
        readonly rule_name: string
        readonly rule_version: string | null
        readonly retroactive: boolean
        readonly type:
          | 'RULE'
          | 'RULE_ERROR'
          | 'SCHEDULED_RULE'
          | 'SCHEDULED_RULE_ERROR'
          | 'CORRELATION_RULE'
          | 'CORRELATION_RULE_ERROR'
          | 'POLICY'
          | 'POLICY_ERROR'
          | 'SYSTEM'
        readonly title: string
        readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
        readonly status: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED'
        readonly reason: string | null
        readonly quality: 'USEFUL' | 'NOISE' | null
        readonly owner: string | null
        readonly context_tags: readonly string[]
        readonly version: number
        readonly muted_by: string | null
        readonly merged_into: string | null
        readonly hold: { readonly reason: string; readonly by: string; readonly since_time: string } | null
        readonly dedup: string
        readonly event_count: number
        readonly created_time: string
        readonly updated_time: string
        readonly first_event_time: string
        readonly last_event_time: string
        readonly log_types: readonly string[]
        readonly source_labels: readonly string[]
        readonly latency_ms: number | null
      }[]
    }
  }
  /** Changes the status, reason, quality, owner or context tags of an alert. */
  readonly 'PATCH /api/v1/alerts/{id}': {
    readonly path: { readonly id: string }
    readonly body: {
      readonly status?: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED' | undefined
      readonly reason?: string | null | undefined
      readonly quality?: 'USEFUL' | 'NOISE' | null | undefined
      readonly owner?: string | null | undefined
      readonly add_tags?: readonly string[] | undefined
      readonly remove_tags?: readonly string[] | undefined
    }
    readonly answer: {
      readonly alert_id: string
      readonly rule_id: string
      readonly rule_name: string
      readonly rule_version: string | null
      readonly retroactive: boolean
      readonly type:
        | 'RULE'
        | 'RULE_ERROR'
        | 'SCHEDULED_RULE'
        | 'SCHEDULED_RULE_ERROR'
        | 'CORRELATION_RULE'
        | 'CORRELATION_RULE_ERROR'
        | 'POLICY'
        | 'POLICY_ERROR'
        | 'SYSTEM'
      readonly title: string
      readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
      readonly status: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED'
      readonly reason: string | null
      readonly quality: 'USEFUL' | 'NOISE' | null
      readonly owner: string | null
      readonly context_tags: readonly string[]
      readonly version: number
      readonly muted_by: string | null
      readonly merged_into: string | null
      readonly hold: { readonly reason: string; readonly by: string; readonly since_time: string } | null
      readonly dedup: string
      readonly event_count: number
      readonly created_time: string
      readonly updated_time: string
      readonly first_event_time: string
      readonly last_event_time: string
      readonly log_types: readonly string[]
      readonly source_labels: readonly string[]
      readonly latency_ms: number | null
    }
  }
  /** The events of an alert, from the lake, oldest first. */
  readonly 'GET /api/v1/alerts/{id}/events': {
    readonly path: { readonly id: string }
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: { readonly results: readonly Readonly<Record<string, unknown>>[]; readonly next: string | null }
  }
  /** Everything that happened to an alert, oldest first. */
  readonly 'GET /api/v1/alerts/{id}/timeline': {
    readonly path: { readonly id: string }
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly id: number
        readonly time: string
        readonly until_time: string | null
        readonly by: string | null
        readonly kind:
          | 'opened'
          | 'matches'
          | 'severity'
          | 'delivered'
          | 'failed'
          | 'changed'
          | 'merged'
          | 'unmerged'
          | 'held'
          | 'released'
          | 'comment'
        readonly detail: Readonly<Record<string, unknown>>
      }[]
      readonly next: string | null
    }
  }
  /** Comments on an alert. With a key, a repeated call does not comment twice. */
  readonly 'POST /api/v1/alerts/{id}/comments': {
    readonly path: { readonly id: string }
    readonly body: { readonly text: string; readonly key?: string | undefined }
    readonly answer: {
      readonly id: number
      readonly time: string
      readonly until_time: string | null
      readonly by: string | null
      readonly kind:
        | 'opened'
        | 'matches'
        | 'severity'
        | 'delivered'
        | 'failed'
        | 'changed'
        | 'merged'
        | 'unmerged'
        | 'held'
        | 'released'
        | 'comment'
      readonly detail: Readonly<Record<string, unknown>>
    }
  }
  /** Merges alerts into this one, all or none. They have its status from then on; matches still join each of them. */
  readonly 'POST /api/v1/alerts/{id}/merge': {
    readonly path: { readonly id: string }
    readonly body: { readonly ids: readonly string[] }
    readonly answer: {
      readonly results: readonly {
        readonly alert_id: string
        readonly rule_id: string
        readonly rule_name: string
        readonly rule_version: string | null
        readonly retroactive: boolean
        readonly type:
          | 'RULE'
          | 'RULE_ERROR'
          | 'SCHEDULED_RULE'
          | 'SCHEDULED_RULE_ERROR'
          | 'CORRELATION_RULE'
          | 'CORRELATION_RULE_ERROR'
          | 'POLICY'
          | 'POLICY_ERROR'
          | 'SYSTEM'
        readonly title: string
        readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
        readonly status: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED'
        readonly reason: string | null
        readonly quality: 'USEFUL' | 'NOISE' | null
        readonly owner: string | null
        readonly context_tags: readonly string[]
        readonly version: number
        readonly muted_by: string | null
        readonly merged_into: string | null
        readonly hold: { readonly reason: string; readonly by: string; readonly since_time: string } | null
        readonly dedup: string
        readonly event_count: number
        readonly created_time: string
        readonly updated_time: string
        readonly first_event_time: string
        readonly last_event_time: string
        readonly log_types: readonly string[]
        readonly source_labels: readonly string[]
        readonly latency_ms: number | null
      }[]
    }
  }
  /** Takes an alert out of the one that it was merged into. */
  readonly 'POST /api/v1/alerts/{id}/unmerge': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly alert_id: string
      readonly rule_id: string
      readonly rule_name: string
      readonly rule_version: string | null
      readonly retroactive: boolean
      readonly type:
        | 'RULE'
        | 'RULE_ERROR'
        | 'SCHEDULED_RULE'
        | 'SCHEDULED_RULE_ERROR'
        | 'CORRELATION_RULE'
        | 'CORRELATION_RULE_ERROR'
        | 'POLICY'
        | 'POLICY_ERROR'
        | 'SYSTEM'
      readonly title: string
      readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
      readonly status: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED'
      readonly reason: string | null
      readonly quality: 'USEFUL' | 'NOISE' | null
      readonly owner: string | null
      readonly context_tags: readonly string[]
      readonly version: number
      readonly muted_by: string | null
      readonly merged_into: string | null
      readonly hold: { readonly reason: string; readonly by: string; readonly since_time: string } | null
      readonly dedup: string
      readonly event_count: number
      readonly created_time: string
      readonly updated_time: string
      readonly first_event_time: string
      readonly last_event_time: string
      readonly log_types: readonly string[]
      readonly source_labels: readonly string[]
      readonly latency_ms: number | null
    }
  }
  /** Keeps an alert, its evidence, and its events and matches in the lake until it is released. */
  readonly 'POST /api/v1/alerts/{id}/hold': {
    readonly path: { readonly id: string }
    readonly body: { readonly reason: string }
    readonly answer: {
      readonly alert_id: string
      readonly rule_id: string
      readonly rule_name: string
      readonly rule_version: string | null
      readonly retroactive: boolean
      readonly type:
        | 'RULE'
        | 'RULE_ERROR'
        | 'SCHEDULED_RULE'
        | 'SCHEDULED_RULE_ERROR'
        | 'CORRELATION_RULE'
        | 'CORRELATION_RULE_ERROR'
        | 'POLICY'
        | 'POLICY_ERROR'
        | 'SYSTEM'
      readonly title: string
      readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
      readonly status: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED'
      readonly reason: string | null
      readonly quality: 'USEFUL' | 'NOISE' | null
      readonly owner: string | null
      readonly context_tags: readonly string[]
      readonly version: number
      readonly muted_by: string | null
      readonly merged_into: string | null
      readonly hold: { readonly reason: string; readonly by: string; readonly since_time: string } | null
      readonly dedup: string
      readonly event_count: number
      readonly created_time: string
      readonly updated_time: string
      readonly first_event_time: string
      readonly last_event_time: string
      readonly log_types: readonly string[]
      readonly source_labels: readonly string[]
      readonly latency_ms: number | null
    }
  }
  /** Releases an alert from its hold: what retention or a deletion has spared goes when it next runs. */
  readonly 'POST /api/v1/alerts/{id}/release': {
    readonly path: { readonly id: string }
    readonly body: { readonly reason: string }
    readonly answer: {
      readonly alert_id: string
      readonly rule_id: string
      readonly rule_name: string
      readonly rule_version: string | null
      readonly retroactive: boolean
      readonly type:
        | 'RULE'
        | 'RULE_ERROR'
        | 'SCHEDULED_RULE'
        | 'SCHEDULED_RULE_ERROR'
        | 'CORRELATION_RULE'
        | 'CORRELATION_RULE_ERROR'
        | 'POLICY'
        | 'POLICY_ERROR'
        | 'SYSTEM'
      readonly title: string
      readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
      readonly status: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED'
      readonly reason: string | null
      readonly quality: 'USEFUL' | 'NOISE' | null
      readonly owner: string | null
      readonly context_tags: readonly string[]
      readonly version: number
      readonly muted_by: string | null
      readonly merged_into: string | null
      readonly hold: { readonly reason: string; readonly by: string; readonly since_time: string } | null
      readonly dedup: string
      readonly event_count: number
      readonly created_time: string
      readonly updated_time: string
      readonly first_event_time: string
      readonly last_event_time: string
      readonly log_types: readonly string[]
      readonly source_labels: readonly string[]
      readonly latency_ms: number | null
    }
  }
  /** Alerts opened within some days of this one that share an indicator with it, newest first; muted and merged ones too. */
  readonly 'GET /api/v1/alerts/{id}/related': {
    readonly path: { readonly id: string }
    readonly query?: {
      readonly days?: number | undefined
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    }
    readonly answer: {
      readonly results: readonly {
        readonly alert: {
          readonly alert_id: string
          readonly rule_id: string
          readonly rule_name: string
          readonly rule_version: string | null
          readonly retroactive: boolean
          readonly type:
            | 'RULE'
            | 'RULE_ERROR'
            | 'SCHEDULED_RULE'
            | 'SCHEDULED_RULE_ERROR'
            | 'CORRELATION_RULE'
            | 'CORRELATION_RULE_ERROR'
            | 'POLICY'
            | 'POLICY_ERROR'
            | 'SYSTEM'
          readonly title: string
          readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
          readonly status: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED'
          readonly reason: string | null
          readonly quality: 'USEFUL' | 'NOISE' | null
          readonly owner: string | null
          readonly context_tags: readonly string[]
          readonly version: number
          readonly muted_by: string | null
          readonly merged_into: string | null
          readonly hold: { readonly reason: string; readonly by: string; readonly since_time: string } | null
          readonly dedup: string
          readonly event_count: number
          readonly created_time: string
          readonly updated_time: string
          readonly first_event_time: string
          readonly last_event_time: string
          readonly log_types: readonly string[]
          readonly source_labels: readonly string[]
          readonly latency_ms: number | null
        }
        readonly shared: Readonly<Record<string, readonly string[]>>
      }[]
      readonly next: string | null
    }
  }
  /** One file with which `caracal run --bundle` decides the alert again on another machine. */
  readonly 'GET /api/v1/alerts/{id}/bundle': {
    readonly path: { readonly id: string }
    readonly answer: Response
  }
  /** Mutes, newest first. */
  readonly 'GET /api/v1/mutes': {
    readonly query?: {
      readonly state?: 'active' | 'over' | 'all' | undefined
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    }
    readonly answer: {
      readonly results: readonly {
        readonly mute_id: string
        readonly state: 'active' | 'expired' | 'ended'
        readonly match: Readonly<Record<string, unknown>>
        readonly owner: string
        readonly reason: string
        readonly by: string
        readonly created_time: string
        readonly expires_time: string
        readonly ended_time: string | null
        readonly ended_by: string | null
        readonly matches: number
        readonly alerts: number
        readonly last_match_time: string | null
        readonly etag: string
      }[]
      readonly next: string | null
    }
  }
  /** Mutes matches: they open no alert that is sent, until the mute expires or is ended. */
  readonly 'POST /api/v1/mutes': {
    readonly body: {
      readonly match: {
        readonly rule?: string | undefined
        readonly dedup?: string | undefined
        readonly title?: string | undefined
        readonly indicator?: string | undefined
        readonly severities?: readonly ('INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL')[] | undefined
        readonly log_type?: string | undefined
        readonly exact?: true | undefined
      }
      readonly owner: string
      readonly reason: string
      readonly expires: string
      readonly id?: string | undefined
    }
    readonly answer: {
      readonly mute_id: string
      readonly state: 'active' | 'expired' | 'ended'
      readonly match: Readonly<Record<string, unknown>>
      readonly owner: string
      readonly reason: string
      readonly by: string
      readonly created_time: string
      readonly expires_time: string
      readonly ended_time: string | null
      readonly ended_by: string | null
      readonly matches: number
      readonly alerts: number
      readonly last_match_time: string | null
      readonly etag: string
    }
  }
  /** One mute. */
  readonly 'GET /api/v1/mutes/{id}': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly mute_id: string
      readonly state: 'active' | 'expired' | 'ended'
      readonly match: Readonly<Record<string, unknown>>
      readonly owner: string
      readonly reason: string
      readonly by: string
      readonly created_time: string
      readonly expires_time: string
      readonly ended_time: string | null
      readonly ended_by: string | null
      readonly matches: number
      readonly alerts: number
      readonly last_match_time: string | null
      readonly etag: string
    }
  }
  /** Mutes further matches of an alert's rule with exactly its dedup string. */
  readonly 'POST /api/v1/alerts/{id}/snooze': {
    readonly path: { readonly id: string }
    readonly body: { readonly owner: string; readonly reason: string; readonly expires: string; readonly id?: string | undefined }
    readonly answer: {
      readonly mute_id: string
      readonly state: 'active' | 'expired' | 'ended'
      readonly match: Readonly<Record<string, unknown>>
      readonly owner: string
      readonly reason: string
      readonly by: string
      readonly created_time: string
      readonly expires_time: string
      readonly ended_time: string | null
      readonly ended_by: string | null
      readonly matches: number
      readonly alerts: number
      readonly last_match_time: string | null
      readonly etag: string
    }
  }
  /** Ends a mute before it expires. One that is over stays as it is. */
  readonly 'POST /api/v1/mutes/{id}/end': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly mute_id: string
      readonly state: 'active' | 'expired' | 'ended'
      readonly match: Readonly<Record<string, unknown>>
      readonly owner: string
      readonly reason: string
      readonly by: string
      readonly created_time: string
      readonly expires_time: string
      readonly ended_time: string | null
      readonly ended_by: string | null
      readonly matches: number
      readonly alerts: number
      readonly last_match_time: string | null
      readonly etag: string
    }
  }
  /** Queries the lake. With `Accept: application/x-ndjson`: a line with the columns, a line per row, a line with the rest. */
  readonly 'POST /api/v1/query': {
    readonly body: {
      readonly sql: string
      readonly dialect?: 'auto' | 'clickhouse' | 'snowflake' | undefined
      readonly params?: Readonly<Record<string, string | number>> | undefined
      readonly max_rows?: number | undefined
      readonly timeout_ms?: number | undefined
    }
    readonly answer: {
      readonly columns: readonly { readonly name: string; readonly type: string }[]
      readonly rows: readonly (readonly unknown[])[]
      readonly truncated: boolean
      readonly ms: number
      readonly translated?: { readonly sql: string; readonly notes: readonly string[] } | undefined
    }
  }
  /** The caller's queries, newest first, for `queries.history_days`. */
  readonly 'GET /api/v1/queries': {
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly id: string
        readonly sql: string
        readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
        readonly created_time: string
        readonly started_time: string | null
        readonly ended_time: string | null
        readonly elapsed_ms: number
        readonly error: string | null
        readonly columns: readonly { readonly name: string; readonly type: string }[] | null
        readonly rows: number | null
        readonly bytes: number | null
        readonly truncated: boolean | null
        readonly rows_read: number | null
        readonly bytes_read: number | null
        readonly rows_total: number | null
        readonly has_result: boolean
        readonly translated?: { readonly sql: string; readonly notes: readonly string[] } | undefined
      }[]
      readonly next: string | null
    }
  }
  /** Starts a query and returns at once. Its result is kept for `queries.result_hours`. */
  readonly 'POST /api/v1/queries': {
    readonly body: {
      readonly sql: string
      readonly dialect?: 'auto' | 'clickhouse' | 'snowflake' | undefined
      readonly params?: Readonly<Record<string, string | number>> | undefined
      readonly max_rows?: number | undefined
      readonly timeout_ms?: number | undefined
    }
    readonly answer: {
      readonly id: string
      readonly sql: string
      readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
      readonly created_time: string
      readonly started_time: string | null
      readonly ended_time: string | null
      readonly elapsed_ms: number
      readonly error: string | null
      readonly columns: readonly { readonly name: string; readonly type: string }[] | null
      readonly rows: number | null
      readonly bytes: number | null
      readonly truncated: boolean | null
      readonly rows_read: number | null
      readonly bytes_read: number | null
      readonly rows_total: number | null
      readonly has_result: boolean
      readonly translated?: { readonly sql: string; readonly notes: readonly string[] } | undefined
    }
  }
  /** A query: whether it runs, how far it is, and what its result looks like. */
  readonly 'GET /api/v1/queries/{id}': {
    readonly path: { readonly id: string }
    readonly query?: { readonly wait_ms?: number | null | undefined }
    readonly answer: {
      readonly id: string
      readonly sql: string
      readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
      readonly created_time: string
      readonly started_time: string | null
      readonly ended_time: string | null
      readonly elapsed_ms: number
      readonly error: string | null
      readonly columns: readonly { readonly name: string; readonly type: string }[] | null
      readonly rows: number | null
      readonly bytes: number | null
      readonly truncated: boolean | null
      readonly rows_read: number | null
      readonly bytes_read: number | null
      readonly rows_total: number | null
      readonly has_result: boolean
      readonly translated?: { readonly sql: string; readonly notes: readonly string[] } | undefined
    }
  }
  /** Ends a query if it runs, and deletes it with its result. */
  readonly 'DELETE /api/v1/queries/{id}': {
    readonly path: { readonly id: string }
    readonly answer: { readonly id: string }
  }
  /** A page of a query's result. */
  readonly 'GET /api/v1/queries/{id}/rows': {
    readonly path: { readonly id: string }
    readonly query?: {
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
      readonly row?: number | null | undefined
    }
    readonly answer: {
      readonly columns: readonly { readonly name: string; readonly type: string }[]
      readonly rows: readonly (readonly unknown[])[]
      readonly next: string | null
    }
  }
  /** Ends a query, also in the lake. One that has ended stays as it is. */
  readonly 'POST /api/v1/queries/{id}/cancel': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly id: string
      readonly sql: string
      readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
      readonly created_time: string
      readonly started_time: string | null
      readonly ended_time: string | null
      readonly elapsed_ms: number
      readonly error: string | null
      readonly columns: readonly { readonly name: string; readonly type: string }[] | null
      readonly rows: number | null
      readonly bytes: number | null
      readonly truncated: boolean | null
      readonly rows_read: number | null
      readonly bytes_read: number | null
      readonly rows_total: number | null
      readonly has_result: boolean
      readonly translated?: { readonly sql: string; readonly notes: readonly string[] } | undefined
    }
  }
  /** A query's whole result as a file. */
  readonly 'GET /api/v1/queries/{id}/export': {
    readonly path: { readonly id: string }
    readonly query?: {
      readonly format?: 'csv' | 'ndjson' | 'json' | 'arrays' | 'parquet' | undefined
      readonly for_spreadsheets?: 'true' | 'false' | undefined
    }
    readonly answer: string
  }
  /** Events that meet all filters, newest first, with their number over time. */
  readonly 'POST /api/v1/search': {
    readonly body: {
      readonly log_types?: readonly string[] | undefined
      readonly since?: string | undefined
      readonly until?: string | undefined
      readonly filters?:
        | readonly {
            readonly field: string
            readonly op:
              | 'equals'
              | 'not_equals'
              | 'contains'
              | 'not_contains'
              | 'starts_with'
              | 'ends_with'
              | 'greater'
              | 'greater_or_equal'
              | 'less'
              | 'less_or_equal'
              | 'in_network'
              | 'not_in_network'
              | 'exists'
              | 'missing'
            readonly values?: readonly (string | number | boolean)[] | undefined
          }[]
        | undefined
      readonly text?: string | undefined
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
      readonly skip?: number | undefined
    }
    readonly answer: {
      readonly since: string
      readonly until: string
      readonly results: readonly {
        readonly time: string
        readonly log_type: string
        readonly source_label: string
        readonly row_id: string
        readonly summary: string
        readonly event: Readonly<Record<string, unknown>>
      }[]
      readonly next: string | null
      readonly histogram: {
        readonly step_seconds: number
        readonly bars: readonly { readonly start: string; readonly log_type: string; readonly events: number }[]
      } | null
      readonly sql: string
    }
  }
  /** The most frequent values of a field among the events that meet all filters. */
  readonly 'POST /api/v1/search/fields': {
    readonly body: {
      readonly log_types?: readonly string[] | undefined
      readonly since?: string | undefined
      readonly until?: string | undefined
      readonly filters?:
        | readonly {
            readonly field: string
            readonly op:
              | 'equals'
              | 'not_equals'
              | 'contains'
              | 'not_contains'
              | 'starts_with'
              | 'ends_with'
              | 'greater'
              | 'greater_or_equal'
              | 'less'
              | 'less_or_equal'
              | 'in_network'
              | 'not_in_network'
              | 'exists'
              | 'missing'
            readonly values?: readonly (string | number | boolean)[] | undefined
          }[]
        | undefined
      readonly text?: string | undefined
      readonly field: string
      readonly limit?: number | undefined
    }
    readonly answer: {
      readonly field: string
      readonly total: number
      readonly present: number
      readonly distinct: number
      readonly top: readonly { readonly value: string; readonly events: number; readonly share: number }[]
    }
  }
  /** The saved and scheduled queries of the content in force. */
  readonly 'GET /api/v1/searches': {
    readonly answer: {
      readonly results: readonly {
        readonly name: string
        readonly description: string
        readonly tags: readonly string[]
        readonly sql: string
        readonly dialect: 'clickhouse' | 'snowflake'
        readonly file: string
        readonly read_only: string | null
        readonly enabled: boolean
        readonly schedule: string | null
        readonly runs: boolean
        readonly rules: readonly string[]
        readonly email: {
          readonly recipients: readonly string[]
          readonly send_empty: boolean
          readonly prefer_attachment: boolean
        } | null
        readonly last_time: string | null
        readonly next_time: string | null
        readonly last_run: {
          readonly time: string
          readonly due_time: string
          readonly ms: number
          readonly rows: number
          readonly truncated: boolean
          readonly matches: number
          readonly error: string | null
          readonly by: string | null
        } | null
      }[]
    }
  }
  /** Saves a new query as a file of the content folder. Its SQL is checked first, without reading rows. */
  readonly 'POST /api/v1/searches': {
    readonly body: {
      readonly name: string
      readonly sql?: string | undefined
      readonly search?:
        | {
            readonly log_types?: readonly string[] | undefined
            readonly since?: string | undefined
            readonly until?: string | undefined
            readonly filters?:
              | readonly {
                  readonly field: string
                  readonly op:
                    | 'equals'
                    | 'not_equals'
                    | 'contains'
                    | 'not_contains'
                    | 'starts_with'
                    | 'ends_with'
                    | 'greater'
                    | 'greater_or_equal'
                    | 'less'
                    | 'less_or_equal'
                    | 'in_network'
                    | 'not_in_network'
                    | 'exists'
                    | 'missing'
                  readonly values?: readonly (string | number | boolean)[] | undefined
                }[]
              | undefined
            readonly text?: string | undefined
            readonly last_seconds?: number | undefined
            readonly limit?: number | undefined
          }
        | undefined
      readonly dialect?: 'auto' | 'clickhouse' | 'snowflake' | undefined
      readonly description?: string | undefined
      readonly tags?: readonly string[] | undefined
      readonly schedule?:
        | {
            readonly rate_minutes?: number | undefined
            readonly cron?: string | undefined
            readonly timeout_minutes?: number | undefined
          }
        | null
        | undefined
      readonly enabled?: boolean | undefined
      readonly email?:
        | {
            readonly recipients: readonly string[]
            readonly send_empty?: boolean | undefined
            readonly prefer_attachment?: boolean | undefined
          }
        | null
        | undefined
      readonly message?: string | undefined
    }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
      readonly name: string
      readonly revision: string
      readonly notes: readonly string[]
    }
  }
  /** A saved or scheduled query with its file. */
  readonly 'GET /api/v1/searches/{name}': {
    readonly path: { readonly name: string }
    readonly answer: {
      readonly name: string
      readonly description: string
      readonly tags: readonly string[]
      readonly sql: string
      readonly dialect: 'clickhouse' | 'snowflake'
      readonly file: string
      readonly read_only: string | null
      readonly enabled: boolean
      readonly schedule: string | null
      readonly runs: boolean
      readonly rules: readonly string[]
      readonly email: {
        readonly recipients: readonly string[]
        readonly send_empty: boolean
        readonly prefer_attachment: boolean
      } | null
      readonly last_time: string | null
      readonly next_time: string | null
      readonly last_run: {
        readonly time: string
        readonly due_time: string
        readonly ms: number
        readonly rows: number
        readonly truncated: boolean
        readonly matches: number
        readonly error: string | null
        readonly by: string | null
      } | null
      readonly schedule_keys: {
        readonly rate_minutes: number | null
        readonly cron: string | null
        readonly timeout_minutes: number
      } | null
      readonly source: { readonly root: string; readonly path: string; readonly yaml: string; readonly revision: string }
    }
  }
  /** Replaces a query; what its file has besides stays. Those of shipped packs and of repositories cannot be changed. */
  readonly 'PUT /api/v1/searches/{name}': {
    readonly path: { readonly name: string }
    readonly body: {
      readonly revision: string
      readonly sql?: string | undefined
      readonly search?:
        | {
            readonly log_types?: readonly string[] | undefined
            readonly since?: string | undefined
            readonly until?: string | undefined
            readonly filters?:
              | readonly {
                  readonly field: string
                  readonly op:
                    | 'equals'
                    | 'not_equals'
                    | 'contains'
                    | 'not_contains'
                    | 'starts_with'
                    | 'ends_with'
                    | 'greater'
                    | 'greater_or_equal'
                    | 'less'
                    | 'less_or_equal'
                    | 'in_network'
                    | 'not_in_network'
                    | 'exists'
                    | 'missing'
                  readonly values?: readonly (string | number | boolean)[] | undefined
                }[]
              | undefined
            readonly text?: string | undefined
            readonly last_seconds?: number | undefined
            readonly limit?: number | undefined
          }
        | undefined
      readonly dialect?: 'auto' | 'clickhouse' | 'snowflake' | undefined
      readonly description?: string | undefined
      readonly tags?: readonly string[] | undefined
      readonly schedule?:
        | {
            readonly rate_minutes?: number | undefined
            readonly cron?: string | undefined
            readonly timeout_minutes?: number | undefined
          }
        | null
        | undefined
      readonly enabled?: boolean | undefined
      readonly email?:
        | {
            readonly recipients: readonly string[]
            readonly send_empty?: boolean | undefined
            readonly prefer_attachment?: boolean | undefined
          }
        | null
        | undefined
      readonly message?: string | undefined
    }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
      readonly name: string
      readonly revision: string
      readonly notes: readonly string[]
    }
  }
  /** Deletes the file of a query, unless an enabled rule judges its rows. */
  readonly 'DELETE /api/v1/searches/{name}': {
    readonly path: { readonly name: string }
    readonly query?: { readonly revision?: string | undefined }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
      readonly name: string
      readonly revision: string
      readonly notes: readonly string[]
    }
  }
  /** Runs a scheduled query now, and has its rules judge the rows: alerts are raised as if it had been due. Its schedule goes on. */
  readonly 'POST /api/v1/searches/{name}/judge': {
    readonly path: { readonly name: string }
    readonly answer: {
      readonly time: string
      readonly due_time: string
      readonly ms: number
      readonly rows: number
      readonly truncated: boolean
      readonly matches: number
      readonly error: string | null
      readonly by: string | null
    }
  }
  /** Starts a saved or scheduled query on demand, as a query of `/api/v1/queries`. No rule judges its rows. */
  readonly 'POST /api/v1/searches/{name}/run': {
    readonly path: { readonly name: string }
    readonly body: {
      readonly max_rows?: number | undefined
      readonly timeout_ms?: number | undefined
      readonly since?: string | undefined
      readonly until?: string | undefined
    }
    readonly answer: {
      readonly id: string
      readonly sql: string
      readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
      readonly created_time: string
      readonly started_time: string | null
      readonly ended_time: string | null
      readonly elapsed_ms: number
      readonly error: string | null
      readonly columns: readonly { readonly name: string; readonly type: string }[] | null
      readonly rows: number | null
      readonly bytes: number | null
      readonly truncated: boolean | null
      readonly rows_read: number | null
      readonly bytes_read: number | null
      readonly rows_total: number | null
      readonly has_result: boolean
      readonly translated?: { readonly sql: string; readonly notes: readonly string[] } | undefined
    }
  }
  /** The dashboards of the content in force. */
  readonly 'GET /api/v1/dashboards': {
    readonly answer: {
      readonly results: readonly {
        readonly name: string
        readonly description: string
        readonly tags: readonly string[]
        readonly panels: number
        readonly file: string
        readonly read_only: string | null
      }[]
    }
  }
  /** Saves a new dashboard as a file of the content folder. The queries of its panels are checked first. */
  readonly 'POST /api/v1/dashboards': {
    readonly body: {
      readonly name: string
      readonly description?: string | undefined
      readonly tags?: readonly string[] | undefined
      readonly hours?: number | undefined
      readonly refresh_seconds?: number | undefined
      readonly panels: readonly {
        readonly title: string
        readonly kind: 'number' | 'line' | 'bar' | 'table' | 'map'
        readonly search?: string | undefined
        readonly sql?: string | undefined
        readonly columns?: readonly string[] | undefined
        readonly size?: 'small' | 'medium' | 'large' | undefined
      }[]
      readonly message?: string | undefined
    }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
      readonly name: string
      readonly revision: string
      readonly notes: readonly string[]
    }
  }
  /** A dashboard with its panels and its file. */
  readonly 'GET /api/v1/dashboards/{name}': {
    readonly path: { readonly name: string }
    readonly answer: {
      readonly name: string
      readonly description: string
      readonly tags: readonly string[]
      readonly panels: readonly {
        readonly title: string
        readonly kind: 'number' | 'line' | 'bar' | 'table' | 'map'
        readonly search: string | null
        readonly sql: string | null
        readonly columns: readonly string[]
        readonly size: 'small' | 'medium' | 'large'
      }[]
      readonly file: string
      readonly read_only: string | null
      readonly hours: number
      readonly refresh_seconds: number
      readonly source: { readonly root: string; readonly path: string; readonly yaml: string; readonly revision: string }
    }
  }
  /** Replaces a dashboard. Those of shipped packs and of repositories cannot be changed. */
  readonly 'PUT /api/v1/dashboards/{name}': {
    readonly path: { readonly name: string }
    readonly body: {
      readonly revision: string
      readonly description?: string | undefined
      readonly tags?: readonly string[] | undefined
      readonly hours?: number | undefined
      readonly refresh_seconds?: number | undefined
      readonly panels: readonly {
        readonly title: string
        readonly kind: 'number' | 'line' | 'bar' | 'table' | 'map'
        readonly search?: string | undefined
        readonly sql?: string | undefined
        readonly columns?: readonly string[] | undefined
        readonly size?: 'small' | 'medium' | 'large' | undefined
      }[]
      readonly message?: string | undefined
    }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
      readonly name: string
      readonly revision: string
      readonly notes: readonly string[]
    }
  }
  /** Deletes the file of a dashboard. */
  readonly 'DELETE /api/v1/dashboards/{name}': {
    readonly path: { readonly name: string }
    readonly query?: { readonly revision?: string | undefined }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
      readonly name: string
      readonly revision: string
      readonly notes: readonly string[]
    }
  }
  /** Starts a panel's query, as a query of `/api/v1/queries`. */
  readonly 'POST /api/v1/dashboards/{name}/run': {
    readonly path: { readonly name: string }
    readonly body: {
      readonly panel: number
      readonly since?: string | undefined
      readonly until?: string | undefined
      readonly max_rows?: number | undefined
      readonly timeout_ms?: number | undefined
    }
    readonly answer: {
      readonly id: string
      readonly sql: string
      readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
      readonly created_time: string
      readonly started_time: string | null
      readonly ended_time: string | null
      readonly elapsed_ms: number
      readonly error: string | null
      readonly columns: readonly { readonly name: string; readonly type: string }[] | null
      readonly rows: number | null
      readonly bytes: number | null
      readonly truncated: boolean | null
      readonly rows_read: number | null
      readonly bytes_read: number | null
      readonly rows_total: number | null
      readonly has_result: boolean
      readonly translated?: { readonly sql: string; readonly notes: readonly string[] } | undefined
    }
  }
  /** Everything that the logs say about an address, a user, a host, a hash or another indicator, newest first. */
  readonly 'GET /api/v1/timeline': {
    readonly query: {
      readonly indicator: string
      readonly kind?:
        | 'ip'
        | 'domain'
        | 'host'
        | 'user'
        | 'email'
        | 'hash'
        | 'arn'
        | 'account'
        | 'instance'
        | 'tag'
        | 'trace'
        | undefined
      readonly since?: string | undefined
      readonly until?: string | undefined
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    }
    readonly answer: {
      readonly since: string
      readonly until: string
      readonly notices: readonly string[]
      readonly overview: {
        readonly values: readonly string[]
        readonly counted_by: 'hour' | 'day'
        readonly counts: readonly { readonly log_type: string; readonly start: string; readonly events: number }[]
        readonly alerts: readonly {
          readonly alert_id: string
          readonly rule_id: string
          readonly rule_name: string
          readonly rule_version: string | null
          readonly retroactive: boolean
          readonly type:
            | 'RULE'
            | 'RULE_ERROR'
            | 'SCHEDULED_RULE'
            | 'SCHEDULED_RULE_ERROR'
            | 'CORRELATION_RULE'
            | 'CORRELATION_RULE_ERROR'
            | 'POLICY'
            | 'POLICY_ERROR'
            | 'SYSTEM'
          readonly title: string
          readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
          readonly status: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED'
          readonly reason: string | null
          readonly quality: 'USEFUL' | 'NOISE' | null
          readonly owner: string | null
          readonly context_tags: readonly string[]
          readonly version: number
          readonly muted_by: string | null
          readonly merged_into: string | null
          readonly hold: { readonly reason: string; readonly by: string; readonly since_time: string } | null
          readonly dedup: string
          readonly event_count: number
          readonly created_time: string
          readonly updated_time: string
          readonly first_event_time: string
          readonly last_event_time: string
          readonly log_types: readonly string[]
          readonly source_labels: readonly string[]
          readonly latency_ms: number | null
          readonly matches: number
        }[]
        readonly alerts_cut: boolean
        readonly elsewhere: readonly { readonly log_type: string; readonly first: string; readonly last: string }[]
      } | null
      readonly results: readonly {
        readonly time: string
        readonly log_type: string
        readonly source_label: string
        readonly row_id: string
        readonly summary: string
        readonly event: Readonly<Record<string, unknown>>
      }[]
      readonly next: string | null
    }
  }
  /** Entities by risk, most first, with what each rule has contributed. */
  readonly 'GET /api/v1/risk': {
    readonly query?: {
      readonly kind?: 'ip' | 'domain' | 'email' | 'user' | 'hash' | 'arn' | 'account' | 'instance' | 'tag' | 'trace' | undefined
      readonly prefix?: string | undefined
      readonly min_score?: number | undefined
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    }
    readonly answer: {
      readonly results: readonly {
        readonly kind: 'ip' | 'domain' | 'email' | 'user' | 'hash' | 'arn' | 'account' | 'instance' | 'tag' | 'trace'
        readonly entity: string
        readonly score: number
        readonly last_time: string
        readonly alerted: boolean
        readonly rules: readonly {
          readonly rule_id: string
          readonly name: string | null
          readonly points: number
          readonly times: number
          readonly last_time: string
        }[]
      }[]
      readonly next: string | null
      readonly threshold: number | null
      readonly half_life_hours: number | null
    }
  }
  /** The risk of one entity. */
  readonly 'GET /api/v1/risk/entity': {
    readonly query: {
      readonly kind: 'ip' | 'domain' | 'email' | 'user' | 'hash' | 'arn' | 'account' | 'instance' | 'tag' | 'trace'
      readonly entity: string
    }
    readonly answer: {
      readonly kind: 'ip' | 'domain' | 'email' | 'user' | 'hash' | 'arn' | 'account' | 'instance' | 'tag' | 'trace'
      readonly entity: string
      readonly score: number
      readonly last_time: string
      readonly alerted: boolean
      readonly rules: readonly {
        readonly rule_id: string
        readonly name: string | null
        readonly points: number
        readonly times: number
        readonly last_time: string
      }[]
      readonly threshold: number | null
      readonly half_life_hours: number | null
    }
  }
  /** Lookup tables and how current they are. */
  readonly 'GET /api/v1/tables': {
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly name: string
        readonly state: string
        readonly rows: number
        readonly version: string | null
        readonly problem: string | null
        readonly refreshed_time: string | null
        readonly age_seconds: number | null
        readonly next_refresh_time: string | null
        readonly provider: string
        readonly file: string
        readonly live: {
          readonly service: string
          readonly answers: number
          readonly asked_today: number
          readonly left_today: number
          readonly waiting: number
          readonly passed_over: number
          readonly breaker: 'closed' | 'open' | 'half_open'
          readonly last_error: string | null
        } | null
      }[]
      readonly next: string | null
    }
  }
  /** Writes a new table, with its rows in a file of the content, and puts it in force. */
  readonly 'POST /api/v1/tables': {
    readonly body: {
      readonly name: string
      readonly description?: string | undefined
      readonly content?: string | undefined
      readonly content_base64?: string | undefined
      readonly primary_key?: readonly string[] | undefined
      readonly match?: string | readonly string[] | undefined
      readonly indicators?: Readonly<Record<string, string>> | undefined
      readonly log_types?:
        | readonly { readonly log_type: string; readonly selectors?: readonly (string | readonly string[])[] | undefined }[]
        | undefined
      readonly dry_run?: boolean | undefined
      readonly message?: string | undefined
    }
    readonly answer: {
      readonly written: {
        readonly outcome: 'swapped' | 'unchanged' | 'broken'
        readonly generation: string
        readonly summary: string
        readonly pause_ms: number
        readonly problems: readonly { readonly file: string; readonly message: string }[]
        readonly files: readonly string[]
        readonly commit: string | null
        readonly commit_problem: string | null
      } | null
      readonly version: string
      readonly rows: number
      readonly skipped: number
      readonly skipped_because: readonly string[]
      readonly counts: { readonly added: number; readonly removed: number; readonly changed: number; readonly worsened: number }
      readonly added: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
      readonly removed: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
      readonly changed: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
      readonly passed_over: readonly string[]
    }
  }
  /** Applies changes to content, then fetches a table now. A failed refresh keeps the last good content and says why in `problem`. */
  readonly 'POST /api/v1/tables/{name}/refresh': {
    readonly path: { readonly name: string }
    readonly query?: { readonly accept?: 'true' | 'false' | undefined }
    readonly answer: {
      readonly name: string
      readonly state: string
      readonly rows: number
      readonly version: string | null
      readonly problem: string | null
      readonly refreshed_time: string | null
      readonly age_seconds: number | null
      readonly next_refresh_time: string | null
      readonly provider: string
      readonly file: string
      readonly live: {
        readonly service: string
        readonly answers: number
        readonly asked_today: number
        readonly left_today: number
        readonly waiting: number
        readonly passed_over: number
        readonly breaker: 'closed' | 'open' | 'half_open'
        readonly last_error: string | null
      } | null
      readonly content_problems: readonly { readonly file: string; readonly message: string }[]
      readonly passed_over: readonly string[]
    }
  }
  /** One table with its versions and the outcomes of its last refreshes. */
  readonly 'GET /api/v1/tables/{name}': {
    readonly path: { readonly name: string }
    readonly answer: {
      readonly name: string
      readonly state: string
      readonly rows: number
      readonly version: string | null
      readonly problem: string | null
      readonly refreshed_time: string | null
      readonly age_seconds: number | null
      readonly next_refresh_time: string | null
      readonly provider: string
      readonly file: string
      readonly live: {
        readonly service: string
        readonly answers: number
        readonly asked_today: number
        readonly left_today: number
        readonly waiting: number
        readonly passed_over: number
        readonly breaker: 'closed' | 'open' | 'half_open'
        readonly last_error: string | null
      } | null
      readonly description: string
      readonly primary_key: readonly string[]
      readonly period_minutes: number
      readonly alarm_minutes: number
      readonly editing: { readonly read_only: string | null; readonly copied: boolean; readonly columns: readonly string[] }
      readonly versions: readonly {
        readonly version: string
        readonly since: string
        readonly until: string | null
        readonly is_stored: boolean
        readonly origin: 'fetched' | 'shipped'
        readonly by: string | null
        readonly rows: number | null
        readonly bytes: number | null
        readonly stored_bytes: number | null
        readonly changes: {
          readonly added: number
          readonly removed: number
          readonly changed: number
          readonly worsened: number
        } | null
        readonly passed_over: readonly string[]
      }[]
      readonly refreshes: readonly {
        readonly outcome: 'swapped' | 'unchanged' | 'refused' | 'failed'
        readonly time: string
        readonly last_time: string
        readonly times: number
        readonly version: string | null
        readonly rows: number | null
        readonly changes: {
          readonly added: number
          readonly removed: number
          readonly changed: number
          readonly worsened: number
        } | null
        readonly message: string | null
        readonly passed_over: readonly string[]
      }[]
    }
  }
  /** The row that a table has for a key, or had in an earlier version. */
  readonly 'GET /api/v1/tables/{name}/row': {
    readonly path: { readonly name: string }
    readonly query: { readonly key: string | readonly string[]; readonly as_of?: string | undefined }
    readonly answer: { readonly version: string; readonly since: string; readonly row: Readonly<Record<string, unknown>> | null }
  }
  /** How two versions of a table differ. */
  readonly 'GET /api/v1/tables/{name}/diff': {
    readonly path: { readonly name: string }
    readonly query: { readonly before: string; readonly after?: string | undefined; readonly limit?: number | null | undefined }
    readonly answer: {
      readonly before: {
        readonly version: string
        readonly since: string
        readonly until: string | null
        readonly is_stored: boolean
        readonly origin: 'fetched' | 'shipped'
        readonly by: string | null
        readonly rows: number | null
        readonly bytes: number | null
        readonly stored_bytes: number | null
        readonly changes: {
          readonly added: number
          readonly removed: number
          readonly changed: number
          readonly worsened: number
        } | null
        readonly passed_over: readonly string[]
      }
      readonly after: {
        readonly version: string
        readonly since: string
        readonly until: string | null
        readonly is_stored: boolean
        readonly origin: 'fetched' | 'shipped'
        readonly by: string | null
        readonly rows: number | null
        readonly bytes: number | null
        readonly stored_bytes: number | null
        readonly changes: {
          readonly added: number
          readonly removed: number
          readonly changed: number
          readonly worsened: number
        } | null
        readonly passed_over: readonly string[]
      }
      readonly counts: { readonly added: number; readonly removed: number; readonly changed: number; readonly worsened: number }
      readonly added: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
      readonly removed: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
      readonly changed: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
      readonly worsened: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
    }
  }
  /** Uploads a version of a table whose rows are in a file of the content, and puts it in force. */
  readonly 'PUT /api/v1/tables/{name}/content': {
    readonly path: { readonly name: string }
    readonly body: {
      readonly content?: string | undefined
      readonly content_base64?: string | undefined
      readonly dry_run?: boolean | undefined
      readonly accept?: boolean | undefined
      readonly message?: string | undefined
    }
    readonly answer: {
      readonly written: {
        readonly outcome: 'swapped' | 'unchanged' | 'broken'
        readonly generation: string
        readonly summary: string
        readonly pause_ms: number
        readonly problems: readonly { readonly file: string; readonly message: string }[]
        readonly files: readonly string[]
        readonly commit: string | null
        readonly commit_problem: string | null
      } | null
      readonly version: string
      readonly rows: number
      readonly skipped: number
      readonly skipped_because: readonly string[]
      readonly counts: { readonly added: number; readonly removed: number; readonly changed: number; readonly worsened: number }
      readonly added: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
      readonly removed: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
      readonly changed: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
      readonly passed_over: readonly string[]
    }
  }
  /** Writes and removes single rows of such a table, by their keys. */
  readonly 'PATCH /api/v1/tables/{name}/content': {
    readonly path: { readonly name: string }
    readonly body: {
      readonly set?:
        | readonly Readonly<
            Record<string, string | number | boolean | null | readonly unknown[] | Readonly<Record<string, unknown>>>
          >[]
        | undefined
      readonly remove?: readonly (string | readonly string[])[] | undefined
      readonly dry_run?: boolean | undefined
      readonly accept?: boolean | undefined
      readonly message?: string | undefined
    }
    readonly answer: {
      readonly written: {
        readonly outcome: 'swapped' | 'unchanged' | 'broken'
        readonly generation: string
        readonly summary: string
        readonly pause_ms: number
        readonly problems: readonly { readonly file: string; readonly message: string }[]
        readonly files: readonly string[]
        readonly commit: string | null
        readonly commit_problem: string | null
      } | null
      readonly version: string
      readonly rows: number
      readonly skipped: number
      readonly skipped_because: readonly string[]
      readonly counts: { readonly added: number; readonly removed: number; readonly changed: number; readonly worsened: number }
      readonly added: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
      readonly removed: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
      readonly changed: readonly {
        readonly key: string
        readonly before: Readonly<Record<string, unknown>> | null
        readonly after: Readonly<Record<string, unknown>> | null
      }[]
      readonly passed_over: readonly string[]
    }
  }
  /** The packs of the content: what they hold, and whether they are on. */
  readonly 'GET /api/v1/packs': {
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly id: string
        readonly name: string | null
        readonly description: string
        readonly on: boolean
        readonly by: 'default' | 'configuration'
        readonly optional: boolean
        readonly detections: readonly { readonly id: string; readonly enabled: boolean }[]
        readonly running: number
        readonly changes: readonly string[]
        readonly schemas: readonly string[]
        readonly tables: readonly string[]
        readonly missing: readonly string[]
      }[]
      readonly next: string | null
    }
  }
  /** Switches a pack on or off, in the configuration file and in force. */
  readonly 'PATCH /api/v1/packs/{id}': {
    readonly path: { readonly id: string }
    readonly body: { readonly on: boolean }
    readonly answer: {
      readonly pack: {
        readonly id: string
        readonly name: string | null
        readonly description: string
        readonly on: boolean
        readonly by: 'default' | 'configuration'
        readonly optional: boolean
        readonly detections: readonly { readonly id: string; readonly enabled: boolean }[]
        readonly running: number
        readonly changes: readonly string[]
        readonly schemas: readonly string[]
        readonly tables: readonly string[]
        readonly missing: readonly string[]
      }
      readonly change: {
        readonly outcome: 'swapped' | 'unchanged' | 'broken'
        readonly generation: string
        readonly summary: string
        readonly pause_ms: number
        readonly problems: readonly { readonly file: string; readonly message: string }[]
      } | null
    }
  }
  /** Sources and what became of their records. */
  readonly 'GET /api/v1/sources': {
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly id: string
        readonly type: string
        readonly label: string
        readonly log_types: readonly string[]
        readonly records: {
          readonly received: number
          readonly stored: number
          readonly filtered: number
          readonly dead_lettered: number
          readonly in_flight: number
        }
        readonly dead_letter_reasons: Readonly<Record<string, number>>
        readonly filters: Readonly<Record<string, number>>
        readonly guessed: Readonly<Record<string, number>>
        readonly backlog_bytes: number
        readonly notices: readonly string[]
        readonly first_received_time: string | null
        readonly last_received_time: string | null
        readonly last_event_time: string | null
        readonly lag_seconds: number | null
        readonly records_per_minute: number
        readonly bytes_per_minute: number
        readonly problems: readonly string[]
        readonly dead_letter_samples: readonly {
          readonly reason: string
          readonly message: string
          readonly position: string
          readonly bytes: number
          readonly excerpt: string
        }[]
        readonly unknown_fields: readonly { readonly log_type: string; readonly field: string; readonly count: number }[]
        readonly etag: string | null
      }[]
      readonly next: string | null
    }
  }
  /** Adds a source to the configuration file. It receives at once, without a restart. */
  readonly 'POST /api/v1/sources': {
    readonly body: {
      readonly source: { readonly type: string; readonly id: string }
      readonly token?:
        | {
            readonly name?: string | undefined
            readonly cidrs?: readonly string[] | undefined
            readonly expires?: string | undefined
          }
        | undefined
    }
    readonly answer: {
      readonly source: {
        readonly id: string
        readonly type: string
        readonly label: string
        readonly log_types: readonly string[]
        readonly records: {
          readonly received: number
          readonly stored: number
          readonly filtered: number
          readonly dead_lettered: number
          readonly in_flight: number
        }
        readonly dead_letter_reasons: Readonly<Record<string, number>>
        readonly filters: Readonly<Record<string, number>>
        readonly guessed: Readonly<Record<string, number>>
        readonly backlog_bytes: number
        readonly notices: readonly string[]
        readonly first_received_time: string | null
        readonly last_received_time: string | null
        readonly last_event_time: string | null
        readonly lag_seconds: number | null
        readonly records_per_minute: number
        readonly bytes_per_minute: number
        readonly problems: readonly string[]
        readonly dead_letter_samples: readonly {
          readonly reason: string
          readonly message: string
          readonly position: string
          readonly bytes: number
          readonly excerpt: string
        }[]
        readonly unknown_fields: readonly { readonly log_type: string; readonly field: string; readonly count: number }[]
        readonly etag: string | null
      }
      readonly change: {
        readonly outcome: 'swapped' | 'unchanged' | 'broken'
        readonly generation: string
        readonly summary: string
        readonly pause_ms: number
        readonly problems: readonly { readonly file: string; readonly message: string }[]
      }
      readonly token: string | null
      readonly shippers: readonly {
        readonly name: string
        readonly title: string
        readonly source_type: string
        readonly language: 'sh' | 'yaml' | 'toml' | 'text'
        readonly file: string | null
        readonly text: string
      }[]
    }
  }
  /** One source: whether its first event has arrived, and what fails, with samples. */
  readonly 'GET /api/v1/sources/{id}': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly id: string
      readonly type: string
      readonly label: string
      readonly log_types: readonly string[]
      readonly records: {
        readonly received: number
        readonly stored: number
        readonly filtered: number
        readonly dead_lettered: number
        readonly in_flight: number
      }
      readonly dead_letter_reasons: Readonly<Record<string, number>>
      readonly filters: Readonly<Record<string, number>>
      readonly guessed: Readonly<Record<string, number>>
      readonly backlog_bytes: number
      readonly notices: readonly string[]
      readonly first_received_time: string | null
      readonly last_received_time: string | null
      readonly last_event_time: string | null
      readonly lag_seconds: number | null
      readonly records_per_minute: number
      readonly bytes_per_minute: number
      readonly problems: readonly string[]
      readonly dead_letter_samples: readonly {
        readonly reason: string
        readonly message: string
        readonly position: string
        readonly bytes: number
        readonly excerpt: string
      }[]
      readonly unknown_fields: readonly { readonly log_type: string; readonly field: string; readonly count: number }[]
      readonly etag: string | null
    }
  }
  /** Sets keys of a source in the configuration file and in force; null removes a key, so that its default applies. */
  readonly 'PATCH /api/v1/sources/{id}': {
    readonly path: { readonly id: string }
    readonly body: { readonly set: Readonly<Record<string, unknown>> }
    readonly answer: {
      readonly source: {
        readonly id: string
        readonly type: string
        readonly label: string
        readonly log_types: readonly string[]
        readonly records: {
          readonly received: number
          readonly stored: number
          readonly filtered: number
          readonly dead_lettered: number
          readonly in_flight: number
        }
        readonly dead_letter_reasons: Readonly<Record<string, number>>
        readonly filters: Readonly<Record<string, number>>
        readonly guessed: Readonly<Record<string, number>>
        readonly backlog_bytes: number
        readonly notices: readonly string[]
        readonly first_received_time: string | null
        readonly last_received_time: string | null
        readonly last_event_time: string | null
        readonly lag_seconds: number | null
        readonly records_per_minute: number
        readonly bytes_per_minute: number
        readonly problems: readonly string[]
        readonly dead_letter_samples: readonly {
          readonly reason: string
          readonly message: string
          readonly position: string
          readonly bytes: number
          readonly excerpt: string
        }[]
        readonly unknown_fields: readonly { readonly log_type: string; readonly field: string; readonly count: number }[]
        readonly etag: string | null
      }
      readonly change: {
        readonly outcome: 'swapped' | 'unchanged' | 'broken'
        readonly generation: string
        readonly summary: string
        readonly pause_ms: number
        readonly problems: readonly { readonly file: string; readonly message: string }[]
      }
    }
  }
  /** Removes a source from the configuration file. It receives nothing more; its events stay. */
  readonly 'DELETE /api/v1/sources/{id}': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly change: {
        readonly outcome: 'swapped' | 'unchanged' | 'broken'
        readonly generation: string
        readonly summary: string
        readonly pause_ms: number
        readonly problems: readonly { readonly file: string; readonly message: string }[]
      }
    }
  }
  /** Deletes a source's events, its alerts and its counts. Only for the demo and for sources that are no longer configured. */
  readonly 'DELETE /api/v1/sources/{id}/data': {
    readonly path: { readonly id: string }
    readonly answer: { readonly removed: string }
  }
  /** Programs that send logs, the type of source that each needs, and the lines to set it up. */
  readonly 'GET /api/v1/shippers': {
    readonly answer: {
      readonly token_placeholder: string
      readonly shippers: readonly {
        readonly name: string
        readonly title: string
        readonly source_type: string
        readonly language: 'sh' | 'yaml' | 'toml' | 'text'
        readonly file: string | null
        readonly text: string
      }[]
    }
  }
  /** The lines with which programs send their logs to this source. */
  readonly 'GET /api/v1/sources/{id}/shippers': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly url: string | null
      readonly token_placeholder: string
      readonly shippers: readonly {
        readonly name: string
        readonly title: string
        readonly source_type: string
        readonly language: 'sh' | 'yaml' | 'toml' | 'text'
        readonly file: string | null
        readonly text: string
      }[]
    }
  }
  /** Records that could not be read, newest first. `POST /api/v1/replays` replays them after a fix. */
  readonly 'GET /api/v1/dead-letters': {
    readonly query?: {
      readonly source?: readonly string[] | undefined
      readonly reason?:
        | readonly (
            | 'no_header'
            | 'truncated'
            | 'too_long'
            | 'too_deep'
            | 'invalid_utf8'
            | 'invalid_json'
            | 'wrong_type'
            | 'missing_field'
            | 'invalid_time'
            | 'unknown_log_type'
            | 'not_a_log'
            | 'no_match'
            | 'invalid_format'
            | 'script_error'
            | 'compression'
            | 'decoding'
            | 'internal'
          )[]
        | undefined
      readonly since?: string | undefined
      readonly replayed?: 'true' | 'false' | undefined
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    }
    readonly answer: {
      readonly results: readonly {
        readonly time: string
        readonly row_id: string
        readonly source: string
        readonly reason: string
        readonly message: string
        readonly position: string
        readonly length: number
        readonly sha256: string
        readonly raw: string
        readonly raw_encoding: string
      }[]
      readonly next: string | null
    }
  }
  /** Deliveries to destinations, newest first: of alerts, and of rows of queries that are mailed. */
  readonly 'GET /api/v1/deliveries': {
    readonly query?: {
      readonly state?: 'pending' | 'delivered' | 'dead' | undefined
      readonly destination?: string | undefined
      readonly alert?: string | undefined
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    }
    readonly answer: {
      readonly results: readonly {
        readonly delivery_id: string
        readonly alert_id: string
        readonly title: string
        readonly severity: string
        readonly destination: string
        readonly kind: 'opened' | 'updated' | 'resolved' | 'changed' | 'test' | 'digest' | 'rows'
        readonly state: 'pending' | 'delivered' | 'dead'
        readonly tries: number
        readonly created_time: string
        readonly next_try_time: string | null
        readonly finished_time: string | null
        readonly error: string | null
        readonly digest_id: string | null
      }[]
      readonly next: string | null
    }
  }
  /** Sends dead deliveries again: those that meet all of the given conditions, at least one of which is required. */
  readonly 'POST /api/v1/deliveries/resend': {
    readonly body: {
      readonly delivery_ids?: readonly string[] | undefined
      readonly destination?: string | undefined
      readonly alert?: string | undefined
    }
    readonly answer: { readonly resent: number }
  }
  /** Rules, their state, and what could not be loaded. */
  readonly 'GET /api/v1/rules': {
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly id: string
        readonly name: string
        readonly kind: 'rule' | 'scheduled_rule' | 'policy' | 'correlation_rule'
        readonly enabled: boolean
        readonly severity: string
        readonly log_types: readonly string[]
        readonly tags: readonly string[]
        readonly reports: Readonly<Record<string, readonly string[]>>
        readonly state: 'on' | 'off' | 'waiting' | 'erring'
        readonly since: string | null
        readonly why: string | null
        readonly matches: number
        readonly errors: number
        readonly limits: readonly { readonly what: 'dedup' | 'unique' | 'cache'; readonly count: number; readonly last: string }[]
        readonly overrides: readonly { readonly key: string; readonly file: string; readonly line: number | null }[]
        readonly not_judged: readonly {
          readonly from: string
          readonly to: string | null
          readonly log_types: readonly string[]
          readonly events: number
          readonly why: string
          readonly replay: string | null
        }[]
        readonly last_match: string | null
        readonly cost: number | null
        readonly recent_alerts: number
        readonly precision: number | null
      }[]
      readonly next: string | null
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly notices: readonly string[]
    }
  }
  /** Writes a new rule and puts it in force. Its unit tests run first, and must pass. */
  readonly 'POST /api/v1/rules': {
    readonly body: {
      readonly yaml: string
      readonly code?: string | undefined
      readonly path?: string | undefined
      readonly allow_failing?: boolean | undefined
      readonly message?: string | undefined
    }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
      readonly id: string
      readonly revision: string
      readonly notes: readonly string[]
      readonly tests: {
        readonly passed: boolean
        readonly rules: readonly {
          readonly id: string
          readonly tests: readonly {
            readonly name: string
            readonly passed: boolean
            readonly expected: boolean
            readonly result: boolean | null
            readonly functions: Readonly<Record<string, string>>
            readonly errors: Readonly<Record<string, string>>
            readonly printed: string
            readonly ms: number
            readonly diff: readonly string[]
          }[]
          readonly errors: readonly string[]
        }[]
        readonly problems: readonly { readonly file: string; readonly message: string }[]
      } | null
    }
  }
  /** One rule: its source, its state, its alerts, its errors and its cost. */
  readonly 'GET /api/v1/rules/{id}': {
    readonly path: { readonly id: string }
    readonly query?: { readonly days?: number | undefined }
    readonly answer: {
      readonly id: string
      readonly name: string
      readonly kind: 'rule' | 'scheduled_rule' | 'policy' | 'correlation_rule'
      readonly enabled: boolean
      readonly severity: string
      readonly log_types: readonly string[]
      readonly tags: readonly string[]
      readonly reports: Readonly<Record<string, readonly string[]>>
      readonly state: 'on' | 'off' | 'waiting' | 'erring'
      readonly since: string | null
      readonly why: string | null
      readonly matches: number
      readonly errors: number
      readonly limits: readonly { readonly what: 'dedup' | 'unique' | 'cache'; readonly count: number; readonly last: string }[]
      readonly overrides: readonly { readonly key: string; readonly file: string; readonly line: number | null }[]
      readonly not_judged: readonly {
        readonly from: string
        readonly to: string | null
        readonly log_types: readonly string[]
        readonly events: number
        readonly why: string
        readonly replay: string | null
      }[]
      readonly version: string
      readonly description: string
      readonly runbook: string
      readonly reference: string
      readonly threshold: number
      readonly dedup_period_minutes: number
      readonly creates_alerts: boolean
      readonly destinations: readonly string[]
      readonly base_rule: string | null
      readonly scheduled_queries: readonly string[]
      readonly techniques: readonly {
        readonly tactic: string
        readonly tactic_name: string | null
        readonly technique: string
        readonly name: string | null
      }[]
      readonly last_match: string | null
      readonly last_error: { readonly time: string; readonly message: string } | null
      readonly cost: { readonly seconds: number; readonly share: number | null }
      readonly problems: readonly string[]
      readonly alerts: {
        readonly since: string
        readonly raised: number
        readonly matches: number
        readonly last: string | null
        readonly useful: number
        readonly noise: number
        readonly precision: number | null
        readonly days: readonly { readonly day: string; readonly alerts: number; readonly matches: number }[]
        readonly is_cut: boolean
      }
      readonly source: {
        readonly root: string
        readonly path: string
        readonly yaml: string
        readonly code_path: string | null
        readonly code: string | null
        readonly revision: string
        readonly read_only: string | null
      }
    }
  }
  /** Saves the files of a rule and puts them in force. Its unit tests run first, and must pass. */
  readonly 'PUT /api/v1/rules/{id}': {
    readonly path: { readonly id: string }
    readonly body: {
      readonly yaml: string
      readonly code?: string | undefined
      readonly revision: string
      readonly allow_failing?: boolean | undefined
      readonly message?: string | undefined
    }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
      readonly id: string
      readonly revision: string
      readonly notes: readonly string[]
      readonly tests: {
        readonly passed: boolean
        readonly rules: readonly {
          readonly id: string
          readonly tests: readonly {
            readonly name: string
            readonly passed: boolean
            readonly expected: boolean
            readonly result: boolean | null
            readonly functions: Readonly<Record<string, string>>
            readonly errors: Readonly<Record<string, string>>
            readonly printed: string
            readonly ms: number
            readonly diff: readonly string[]
          }[]
          readonly errors: readonly string[]
        }[]
        readonly problems: readonly { readonly file: string; readonly message: string }[]
      } | null
    }
  }
  /** Overrides keys of a rule, whoever brings it, in `overrides.yml` of the content folder; null: as its own file says. */
  readonly 'PATCH /api/v1/rules/{id}': {
    readonly path: { readonly id: string }
    readonly body: {
      readonly enabled?: boolean | null | undefined
      readonly severity?: 'Info' | 'Low' | 'Medium' | 'High' | 'Critical' | null | undefined
      readonly threshold?: number | null | undefined
      readonly dedup_period_minutes?: number | null | undefined
      readonly destinations?: readonly string[] | null | undefined
      readonly message?: string | undefined
    }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
    }
  }
  /** Deletes the files of a rule. Rules of shipped packs and of repositories cannot be deleted, but disabled. */
  readonly 'DELETE /api/v1/rules/{id}': {
    readonly path: { readonly id: string }
    readonly query?: { readonly revision?: string | undefined }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
      readonly id: string
      readonly revision: string
      readonly notes: readonly string[]
      readonly tests: {
        readonly passed: boolean
        readonly rules: readonly {
          readonly id: string
          readonly tests: readonly {
            readonly name: string
            readonly passed: boolean
            readonly expected: boolean
            readonly result: boolean | null
            readonly functions: Readonly<Record<string, string>>
            readonly errors: Readonly<Record<string, string>>
            readonly printed: string
            readonly ms: number
            readonly diff: readonly string[]
          }[]
          readonly errors: readonly string[]
        }[]
        readonly problems: readonly { readonly file: string; readonly message: string }[]
      } | null
    }
  }
  /** Runs the unit tests of a rule that is not saved, or runs it on events. Writes nothing. */
  readonly 'POST /api/v1/rules/test': {
    readonly body: {
      readonly yaml: string
      readonly code?: string | undefined
      readonly events?: readonly (string | Readonly<Record<string, unknown>>)[] | undefined
    }
    readonly answer: {
      readonly passed: boolean
      readonly rules: readonly {
        readonly id: string
        readonly tests: readonly {
          readonly name: string
          readonly passed: boolean
          readonly expected: boolean
          readonly result: boolean | null
          readonly functions: Readonly<Record<string, string>>
          readonly errors: Readonly<Record<string, string>>
          readonly printed: string
          readonly ms: number
          readonly diff: readonly string[]
        }[]
        readonly errors: readonly string[]
      }[]
      readonly problems: readonly { readonly file: string; readonly message: string }[]
    }
  }
  /** Runs the unit tests of a rule as its files are now. */
  readonly 'POST /api/v1/rules/{id}/test': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly passed: boolean
      readonly rules: readonly {
        readonly id: string
        readonly tests: readonly {
          readonly name: string
          readonly passed: boolean
          readonly expected: boolean
          readonly result: boolean | null
          readonly functions: Readonly<Record<string, string>>
          readonly errors: Readonly<Record<string, string>>
          readonly printed: string
          readonly ms: number
          readonly diff: readonly string[]
        }[]
        readonly errors: readonly string[]
      }[]
      readonly problems: readonly { readonly file: string; readonly message: string }[]
    }
  }
  /** The latest versions of a rule, newest first: when its files changed, by whom, and what. */
  readonly 'GET /api/v1/rules/{id}/versions': {
    readonly path: { readonly id: string }
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly number: number
        readonly generation: string
        readonly time: string
        readonly cause: 'start' | 'watch' | 'reload' | 'tables' | 'signal' | 'git' | 'undo' | 'edit' | 'settings'
        readonly by: string | null
        readonly commit: string | null
        readonly is_current: boolean
        readonly is_stored: boolean
        readonly files: readonly { readonly path: string; readonly change: 'added' | 'changed' | 'removed' }[]
        readonly keys: readonly string[]
      }[]
      readonly next: string | null
    }
  }
  /** A rule as it was in one version, with the diff from the version before. */
  readonly 'GET /api/v1/rules/{id}/versions/{number}': {
    readonly path: { readonly id: string; readonly number: string }
    readonly answer: {
      readonly number: number
      readonly generation: string
      readonly time: string
      readonly cause: 'start' | 'watch' | 'reload' | 'tables' | 'signal' | 'git' | 'undo' | 'edit' | 'settings'
      readonly by: string | null
      readonly commit: string | null
      readonly is_current: boolean
      readonly is_stored: boolean
      readonly files: readonly {
        readonly path: string
        readonly change: 'added' | 'changed' | 'removed'
        readonly diff: string | null
      }[]
      readonly keys: readonly string[]
      readonly yaml: string | null
      readonly code_path: string | null
      readonly code: string | null
    }
  }
  /** Saves a rule as it was in a version and puts it in force. Its unit tests run first, and must pass. */
  readonly 'POST /api/v1/rules/{id}/versions/{number}/restore': {
    readonly path: { readonly id: string; readonly number: string }
    readonly body: {
      readonly revision: string
      readonly allow_failing?: boolean | undefined
      readonly message?: string | undefined
    }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
      readonly id: string
      readonly revision: string
      readonly notes: readonly string[]
      readonly tests: {
        readonly passed: boolean
        readonly rules: readonly {
          readonly id: string
          readonly tests: readonly {
            readonly name: string
            readonly passed: boolean
            readonly expected: boolean
            readonly result: boolean | null
            readonly functions: Readonly<Record<string, string>>
            readonly errors: Readonly<Record<string, string>>
            readonly printed: string
            readonly ms: number
            readonly diff: readonly string[]
          }[]
          readonly errors: readonly string[]
        }[]
        readonly problems: readonly { readonly file: string; readonly message: string }[]
      } | null
    }
  }
  /** Tactics and techniques of MITRE ATT&CK that rules name under `Reports`, in the order of the matrix. */
  readonly 'GET /api/v1/coverage': {
    readonly answer: {
      readonly tactics: readonly {
        readonly tactic: string
        readonly name: string | null
        readonly rules_on: number
        readonly rules_off: number
        readonly matches: number
        readonly techniques: readonly {
          readonly technique: string
          readonly name: string | null
          readonly rules_on: number
          readonly rules_off: number
          readonly matches: number
          readonly rules: readonly {
            readonly id: string
            readonly name: string
            readonly enabled: boolean
            readonly severity: string
            readonly state: 'on' | 'off' | 'waiting' | 'erring'
            readonly matches: number
          }[]
        }[]
      }[]
      readonly without: readonly string[]
    }
  }
  /** The log types that have a schema. */
  readonly 'GET /api/v1/schemas': {
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly { readonly name: string; readonly file: boolean }[]
      readonly next: string | null
    }
  }
  /** Writes a new schema and puts it in force. */
  readonly 'POST /api/v1/schemas': {
    readonly body: { readonly yaml: string; readonly allow_failing?: boolean | undefined; readonly message?: string | undefined }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
      readonly revision: string
      readonly tests: readonly { readonly name: string; readonly wrong: readonly string[] }[]
    }
  }
  /** The file of a schema. */
  readonly 'GET /api/v1/schemas/{name}': {
    readonly path: { readonly name: string }
    readonly answer: {
      readonly name: string
      readonly root: string
      readonly path: string
      readonly yaml: string
      readonly revision: string
      readonly read_only: string | null
    }
  }
  /** Saves a schema and puts it in force. Tests in the file next to it run first, and must pass. */
  readonly 'PUT /api/v1/schemas/{name}': {
    readonly path: { readonly name: string }
    readonly body: {
      readonly yaml: string
      readonly revision: string
      readonly allow_failing?: boolean | undefined
      readonly message?: string | undefined
    }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly files: readonly string[]
      readonly commit: string | null
      readonly commit_problem: string | null
      readonly revision: string
      readonly tests: readonly { readonly name: string; readonly wrong: readonly string[] }[]
    }
  }
  /** Writes a schema for sample records, and tries it out on them. Saves nothing. */
  readonly 'POST /api/v1/schemas/infer': {
    readonly body: { readonly name: string; readonly sample: string }
    readonly answer: {
      readonly yaml: string
      readonly format: string
      readonly notes: readonly string[]
      readonly reading: {
        readonly received: number
        readonly refused: number
        readonly refusals: readonly { readonly reason: string; readonly message: string }[]
        readonly events: readonly string[]
        readonly unknown_fields: Readonly<Record<string, number>>
      }
    }
  }
  /** Runs the tests of a schema, or reads sample records with it. Saves nothing. */
  readonly 'POST /api/v1/schemas/test': {
    readonly body: { readonly yaml: string; readonly tests?: string | undefined; readonly sample?: string | undefined }
    readonly answer: {
      readonly tests: readonly { readonly name: string; readonly wrong: readonly string[] }[]
      readonly reading: {
        readonly received: number
        readonly refused: number
        readonly refusals: readonly { readonly reason: string; readonly message: string }[]
        readonly events: readonly string[]
        readonly unknown_fields: Readonly<Record<string, number>>
      } | null
    }
  }
  /** Fields that stored events have and the schema does not, with types that fit their values. */
  readonly 'GET /api/v1/schemas/{name}/unknown-fields': {
    readonly path: { readonly name: string }
    readonly answer: {
      readonly events: number
      readonly stored_from: string | null
      readonly stored_to: string | null
      readonly fields: readonly {
        readonly name: string
        readonly type: string
        readonly indicators: readonly string[]
        readonly yaml: string
      }[]
      readonly notes: readonly string[]
    }
  }
  /** The file of a schema with some of the proposed fields added. Saves nothing. */
  readonly 'POST /api/v1/schemas/{name}/unknown-fields': {
    readonly path: { readonly name: string }
    readonly body: { readonly fields: readonly string[] }
    readonly answer: { readonly yaml: string; readonly diff: string; readonly revision: string }
  }
  /** Destinations, which alerts they get, and how their last deliveries went. No secrets. */
  readonly 'GET /api/v1/destinations': {
    readonly answer: {
      readonly results: readonly {
        readonly id: string
        readonly type: string
        readonly severities: readonly string[]
        readonly log_types: readonly string[]
        readonly alert_types: readonly string[]
        readonly sends: readonly string[]
        readonly system: boolean
        readonly max_per_minute: number | null
        readonly waiting: number
        readonly dead: number
        readonly last_delivered: string | null
        readonly last_error: string | null
      }[]
    }
  }
  /** What alerts can be sent to, and the lines of the configuration file that set it up. */
  readonly 'GET /api/v1/destinations/kinds': {
    readonly answer: { readonly results: readonly { readonly type: string; readonly summary: string; readonly lines: string }[] }
  }
  /** Sends a test alert to a destination, and answers once it has accepted it. */
  readonly 'POST /api/v1/destinations/{id}/test': {
    readonly path: { readonly id: string }
    readonly query?: { readonly severity?: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL' | undefined }
    readonly answer: { readonly accepted: string }
  }
  /** Why a rule matches an event, or why it does not. */
  readonly 'POST /api/v1/explain': {
    readonly body: {
      readonly rule: string
      readonly row_id?: string | undefined
      readonly event?: string | Readonly<Record<string, unknown>> | undefined
      readonly log_type?: string | undefined
      readonly as_of?: string | undefined
    }
    readonly answer: {
      readonly rule_id: string
      readonly kind: string
      readonly file: string
      readonly definition: string
      readonly rule_version: string
      readonly log_type: string
      readonly row_id: string | null
      readonly verdict: 'match' | 'no_match' | 'not_judged' | 'error' | 'depends'
      readonly summary: string
      readonly checks: readonly {
        readonly what: 'enabled' | 'log type' | 'filter' | 'prefilter'
        readonly passed: boolean
        readonly detail: string
        readonly decided: readonly {
          readonly kind: 'test' | 'loop' | 'return'
          readonly file: string
          readonly line: number
          readonly source: string | null
          readonly function: string
          readonly text: string
          readonly outcome: string
          readonly values: readonly { readonly part: string; readonly value: string }[]
        }[]
      }[]
      readonly result: 'match' | 'no_match' | 'error'
      readonly decided: readonly {
        readonly kind: 'test' | 'loop' | 'return'
        readonly file: string
        readonly line: number
        readonly source: string | null
        readonly function: string
        readonly text: string
        readonly outcome: string
        readonly values: readonly { readonly part: string; readonly value: string }[]
      }[]
      readonly steps: readonly {
        readonly kind: 'test' | 'loop' | 'return'
        readonly file: string
        readonly line: number
        readonly source: string | null
        readonly function: string
        readonly text: string
        readonly outcome: string
        readonly values: readonly { readonly part: string; readonly value: string }[]
      }[]
      readonly reads: readonly { readonly file: string; readonly line: number; readonly text: string; readonly value: string }[]
      readonly error: string | null
      readonly alert: {
        readonly title: string
        readonly dedup: string
        readonly severity: string
        readonly function_errors: Readonly<Record<string, string>>
        readonly create_alert: boolean
        readonly threshold: number
        readonly dedup_period_minutes: number
      } | null
      readonly members: readonly {
        readonly rule_id: string
        readonly verdict: 'match' | 'no_match' | 'not_judged' | 'error' | 'depends'
        readonly summary: string
      }[]
      readonly notes: readonly string[]
      readonly event: Readonly<Record<string, unknown>>
    }
  }
  /** The content in force. */
  readonly 'GET /api/v1/content': {
    readonly answer: {
      readonly generation: string
      readonly rules: number
      readonly schemas: number
      readonly tables: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
    }
  }
  /** Pulls content from git, rereads the content folders and applies changes without a restart. Broken content changes nothing. */
  readonly 'POST /api/v1/content/reload': {
    readonly query?: { readonly by?: string | undefined }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly pulls: readonly { readonly name: string; readonly commit: string | null; readonly problem: string | null }[]
    }
  }
  /** History of content, newest first, with the files that changed. */
  readonly 'GET /api/v1/content/history': {
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly number: number
        readonly generation: string
        readonly time: string
        readonly cause: 'start' | 'watch' | 'reload' | 'tables' | 'signal' | 'git' | 'undo' | 'edit' | 'settings'
        readonly by: string | null
        readonly commits: Readonly<Record<string, string>>
        readonly files: readonly {
          readonly root: string
          readonly path: string
          readonly change: 'added' | 'changed' | 'removed'
          readonly before: string | null
          readonly after: string | null
        }[]
      }[]
      readonly next: string | null
    }
  }
  /** What one generation changed, with diffs of its files. */
  readonly 'GET /api/v1/content/history/{generation}': {
    readonly path: { readonly generation: string }
    readonly query?: { readonly file?: string | undefined }
    readonly answer: {
      readonly number: number
      readonly generation: string
      readonly time: string
      readonly cause: 'start' | 'watch' | 'reload' | 'tables' | 'signal' | 'git' | 'undo' | 'edit' | 'settings'
      readonly by: string | null
      readonly commits: Readonly<Record<string, string>>
      readonly files: readonly {
        readonly root: string
        readonly path: string
        readonly change: 'added' | 'changed' | 'removed'
        readonly before: string | null
        readonly after: string | null
        readonly diff: string | null
      }[]
    }
  }
  /** Restores the files of a generation as they were before it, and reloads. Refused if one of them has changed since. If the content would be broken, the files are left unchanged. */
  readonly 'POST /api/v1/content/undo': {
    readonly body?: { readonly generation?: string | undefined; readonly by?: string | undefined }
    readonly answer: {
      readonly outcome: 'swapped' | 'unchanged' | 'broken'
      readonly generation: string
      readonly summary: string
      readonly pause_ms: number
      readonly problems: readonly { readonly file: string; readonly message: string }[]
      readonly undone: number
    }
  }
  /** Replays, newest first: those that wait or run, and the last ones that are over. */
  readonly 'GET /api/v1/replays': {
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly id: string
        readonly kind: 'dead-letters' | 'events' | 'retro-match' | 'backtest'
        readonly state: 'queued' | 'running' | 'done' | 'cancelled' | 'failed'
        readonly dry_run: boolean
        readonly deliver: boolean
        readonly created_time: string
        readonly started_time: string | null
        readonly ended_time: string | null
        readonly chosen: {
          readonly sources: readonly string[]
          readonly reasons: readonly string[]
          readonly since: string | null
          readonly log_types: readonly string[]
          readonly rules: readonly string[]
          readonly from: string | null
          readonly to: string | null
          readonly by: 'event' | 'received' | null
          readonly as_of: string | null
          readonly table: string | null
        }
        readonly generation: string | null
        readonly tables: Readonly<Record<string, string>>
        readonly records: { readonly read: number; readonly of: number | null }
        readonly rows_read: number | null
        readonly stored: number
        readonly filtered: number
        readonly failing: Readonly<Record<string, number>>
        readonly rules: readonly {
          readonly rule_id: string
          readonly matches: number
          readonly known: number
          readonly errors: number
          readonly last_error: string | null
          readonly samples: readonly {
            readonly time: string
            readonly row_id: string
            readonly log_type: string
            readonly title: string
          }[]
        }[]
        readonly alerts: number
        readonly first_alerts: readonly {
          readonly alert_id: string | null
          readonly rule_id: string
          readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
          readonly title: string
          readonly dedup: string
          readonly event_count: number
          readonly first_event_time: string
          readonly last_event_time: string
        }[]
        readonly comparison:
          | readonly {
              readonly rule_id: string
              readonly change: 'added' | 'changed' | 'removed'
              readonly matches: {
                readonly before: number
                readonly after: number
                readonly added: number
                readonly removed: number
              }
              readonly alerts: {
                readonly before: number
                readonly after: number
                readonly added: number
                readonly removed: number
              }
              readonly errors: { readonly before: number; readonly after: number }
              readonly last_error: string | null
              readonly added_alerts: readonly {
                readonly alert_id: string | null
                readonly rule_id: string
                readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
                readonly title: string
                readonly dedup: string
                readonly event_count: number
                readonly first_event_time: string
                readonly last_event_time: string
              }[]
              readonly removed_alerts: readonly {
                readonly alert_id: string | null
                readonly rule_id: string
                readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
                readonly title: string
                readonly dedup: string
                readonly event_count: number
                readonly first_event_time: string
                readonly last_event_time: string
              }[]
            }[]
          | null
        readonly notes: readonly string[]
      }[]
      readonly next: string | null
    }
  }
  /** Judges the past again: dead letters after a fix, or stored events with the rules and tables in force. */
  readonly 'POST /api/v1/replays': {
    readonly body:
      | {
          readonly kind: 'dead-letters'
          readonly sources?: readonly string[] | undefined
          readonly reasons?: readonly string[] | undefined
          readonly since?: string | undefined
          readonly deliver?: boolean | undefined
          readonly dry_run?: boolean | undefined
          readonly generation?: string | undefined
          readonly table_versions?: Readonly<Record<string, string>> | undefined
        }
      | {
          readonly kind: 'events'
          readonly log_types?: readonly string[] | undefined
          readonly rules?: readonly string[] | undefined
          readonly from: string
          readonly to?: string | undefined
          readonly by?: 'event' | 'received' | undefined
          readonly as_of?: string | undefined
          readonly deliver?: boolean | undefined
          readonly dry_run?: boolean | undefined
          readonly generation?: string | undefined
          readonly table_versions?: Readonly<Record<string, string>> | undefined
        }
    readonly answer: {
      readonly id: string
      readonly kind: 'dead-letters' | 'events' | 'retro-match' | 'backtest'
      readonly state: 'queued' | 'running' | 'done' | 'cancelled' | 'failed'
      readonly dry_run: boolean
      readonly deliver: boolean
      readonly created_time: string
      readonly started_time: string | null
      readonly ended_time: string | null
      readonly chosen: {
        readonly sources: readonly string[]
        readonly reasons: readonly string[]
        readonly since: string | null
        readonly log_types: readonly string[]
        readonly rules: readonly string[]
        readonly from: string | null
        readonly to: string | null
        readonly by: 'event' | 'received' | null
        readonly as_of: string | null
        readonly table: string | null
      }
      readonly generation: string | null
      readonly tables: Readonly<Record<string, string>>
      readonly records: { readonly read: number; readonly of: number | null }
      readonly rows_read: number | null
      readonly stored: number
      readonly filtered: number
      readonly failing: Readonly<Record<string, number>>
      readonly rules: readonly {
        readonly rule_id: string
        readonly matches: number
        readonly known: number
        readonly errors: number
        readonly last_error: string | null
        readonly samples: readonly {
          readonly time: string
          readonly row_id: string
          readonly log_type: string
          readonly title: string
        }[]
      }[]
      readonly alerts: number
      readonly first_alerts: readonly {
        readonly alert_id: string | null
        readonly rule_id: string
        readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
        readonly title: string
        readonly dedup: string
        readonly event_count: number
        readonly first_event_time: string
        readonly last_event_time: string
      }[]
      readonly comparison:
        | readonly {
            readonly rule_id: string
            readonly change: 'added' | 'changed' | 'removed'
            readonly matches: {
              readonly before: number
              readonly after: number
              readonly added: number
              readonly removed: number
            }
            readonly alerts: { readonly before: number; readonly after: number; readonly added: number; readonly removed: number }
            readonly errors: { readonly before: number; readonly after: number }
            readonly last_error: string | null
            readonly added_alerts: readonly {
              readonly alert_id: string | null
              readonly rule_id: string
              readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
              readonly title: string
              readonly dedup: string
              readonly event_count: number
              readonly first_event_time: string
              readonly last_event_time: string
            }[]
            readonly removed_alerts: readonly {
              readonly alert_id: string | null
              readonly rule_id: string
              readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
              readonly title: string
              readonly dedup: string
              readonly event_count: number
              readonly first_event_time: string
              readonly last_event_time: string
            }[]
          }[]
        | null
      readonly notes: readonly string[]
    }
  }
  /** One replay and its progress so far. */
  readonly 'GET /api/v1/replays/{id}': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly id: string
      readonly kind: 'dead-letters' | 'events' | 'retro-match' | 'backtest'
      readonly state: 'queued' | 'running' | 'done' | 'cancelled' | 'failed'
      readonly dry_run: boolean
      readonly deliver: boolean
      readonly created_time: string
      readonly started_time: string | null
      readonly ended_time: string | null
      readonly chosen: {
        readonly sources: readonly string[]
        readonly reasons: readonly string[]
        readonly since: string | null
        readonly log_types: readonly string[]
        readonly rules: readonly string[]
        readonly from: string | null
        readonly to: string | null
        readonly by: 'event' | 'received' | null
        readonly as_of: string | null
        readonly table: string | null
      }
      readonly generation: string | null
      readonly tables: Readonly<Record<string, string>>
      readonly records: { readonly read: number; readonly of: number | null }
      readonly rows_read: number | null
      readonly stored: number
      readonly filtered: number
      readonly failing: Readonly<Record<string, number>>
      readonly rules: readonly {
        readonly rule_id: string
        readonly matches: number
        readonly known: number
        readonly errors: number
        readonly last_error: string | null
        readonly samples: readonly {
          readonly time: string
          readonly row_id: string
          readonly log_type: string
          readonly title: string
        }[]
      }[]
      readonly alerts: number
      readonly first_alerts: readonly {
        readonly alert_id: string | null
        readonly rule_id: string
        readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
        readonly title: string
        readonly dedup: string
        readonly event_count: number
        readonly first_event_time: string
        readonly last_event_time: string
      }[]
      readonly comparison:
        | readonly {
            readonly rule_id: string
            readonly change: 'added' | 'changed' | 'removed'
            readonly matches: {
              readonly before: number
              readonly after: number
              readonly added: number
              readonly removed: number
            }
            readonly alerts: { readonly before: number; readonly after: number; readonly added: number; readonly removed: number }
            readonly errors: { readonly before: number; readonly after: number }
            readonly last_error: string | null
            readonly added_alerts: readonly {
              readonly alert_id: string | null
              readonly rule_id: string
              readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
              readonly title: string
              readonly dedup: string
              readonly event_count: number
              readonly first_event_time: string
              readonly last_event_time: string
            }[]
            readonly removed_alerts: readonly {
              readonly alert_id: string | null
              readonly rule_id: string
              readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
              readonly title: string
              readonly dedup: string
              readonly event_count: number
              readonly first_event_time: string
              readonly last_event_time: string
            }[]
          }[]
        | null
      readonly notes: readonly string[]
    }
  }
  /** Ends a replay where it is. What it has stored stays. One that is over stays as it is. */
  readonly 'DELETE /api/v1/replays/{id}': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly id: string
      readonly kind: 'dead-letters' | 'events' | 'retro-match' | 'backtest'
      readonly state: 'queued' | 'running' | 'done' | 'cancelled' | 'failed'
      readonly dry_run: boolean
      readonly deliver: boolean
      readonly created_time: string
      readonly started_time: string | null
      readonly ended_time: string | null
      readonly chosen: {
        readonly sources: readonly string[]
        readonly reasons: readonly string[]
        readonly since: string | null
        readonly log_types: readonly string[]
        readonly rules: readonly string[]
        readonly from: string | null
        readonly to: string | null
        readonly by: 'event' | 'received' | null
        readonly as_of: string | null
        readonly table: string | null
      }
      readonly generation: string | null
      readonly tables: Readonly<Record<string, string>>
      readonly records: { readonly read: number; readonly of: number | null }
      readonly rows_read: number | null
      readonly stored: number
      readonly filtered: number
      readonly failing: Readonly<Record<string, number>>
      readonly rules: readonly {
        readonly rule_id: string
        readonly matches: number
        readonly known: number
        readonly errors: number
        readonly last_error: string | null
        readonly samples: readonly {
          readonly time: string
          readonly row_id: string
          readonly log_type: string
          readonly title: string
        }[]
      }[]
      readonly alerts: number
      readonly first_alerts: readonly {
        readonly alert_id: string | null
        readonly rule_id: string
        readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
        readonly title: string
        readonly dedup: string
        readonly event_count: number
        readonly first_event_time: string
        readonly last_event_time: string
      }[]
      readonly comparison:
        | readonly {
            readonly rule_id: string
            readonly change: 'added' | 'changed' | 'removed'
            readonly matches: {
              readonly before: number
              readonly after: number
              readonly added: number
              readonly removed: number
            }
            readonly alerts: { readonly before: number; readonly after: number; readonly added: number; readonly removed: number }
            readonly errors: { readonly before: number; readonly after: number }
            readonly last_error: string | null
            readonly added_alerts: readonly {
              readonly alert_id: string | null
              readonly rule_id: string
              readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
              readonly title: string
              readonly dedup: string
              readonly event_count: number
              readonly first_event_time: string
              readonly last_event_time: string
            }[]
            readonly removed_alerts: readonly {
              readonly alert_id: string | null
              readonly rule_id: string
              readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
              readonly title: string
              readonly dedup: string
              readonly event_count: number
              readonly first_event_time: string
              readonly last_event_time: string
            }[]
          }[]
        | null
      readonly notes: readonly string[]
    }
  }
  /** Who the caller is, and what it may do. */
  readonly 'GET /api/v1/me': {
    readonly answer: {
      readonly kind: 'machine' | 'token' | 'user'
      readonly name: string
      readonly role: 'admin' | 'analyst' | 'viewer'
      readonly log_types: readonly string[] | null
      readonly permissions: readonly string[]
    }
  }
  /** Tokens, oldest first, with those that have expired or were revoked. */
  readonly 'GET /api/v1/tokens': {
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly token_id: string
        readonly name: string
        readonly role: 'admin' | 'analyst' | 'viewer' | 'ingest'
        readonly log_types: readonly string[]
        readonly cidrs: readonly string[]
        readonly state: 'active' | 'expired' | 'revoked'
        readonly created_time: string
        readonly created_by: string
        readonly expires_time: string | null
        readonly revoked_time: string | null
        readonly revoked_by: string | null
        readonly last_used_time: string | null
        readonly last_address: string | null
        readonly user: string | null
        readonly etag: string
      }[]
      readonly next: string | null
    }
  }
  /** Creates a token. The answer is the only time that its secret is shown. */
  readonly 'POST /api/v1/tokens': {
    readonly body: {
      readonly name: string
      readonly cidrs?: readonly string[] | undefined
      readonly expires?: string | undefined
      readonly role: 'admin' | 'analyst' | 'viewer' | 'ingest'
      readonly log_types?: readonly string[] | undefined
    }
    readonly answer: {
      readonly token_id: string
      readonly name: string
      readonly role: 'admin' | 'analyst' | 'viewer' | 'ingest'
      readonly log_types: readonly string[]
      readonly cidrs: readonly string[]
      readonly state: 'active' | 'expired' | 'revoked'
      readonly created_time: string
      readonly created_by: string
      readonly expires_time: string | null
      readonly revoked_time: string | null
      readonly revoked_by: string | null
      readonly last_used_time: string | null
      readonly last_address: string | null
      readonly user: string | null
      readonly etag: string
      readonly token: string
    }
  }
  /** Revokes a token at once. One that is revoked stays as it is. */
  readonly 'POST /api/v1/tokens/{id}/revoke': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly token_id: string
      readonly name: string
      readonly role: 'admin' | 'analyst' | 'viewer' | 'ingest'
      readonly log_types: readonly string[]
      readonly cidrs: readonly string[]
      readonly state: 'active' | 'expired' | 'revoked'
      readonly created_time: string
      readonly created_by: string
      readonly expires_time: string | null
      readonly revoked_time: string | null
      readonly revoked_by: string | null
      readonly last_used_time: string | null
      readonly last_address: string | null
      readonly user: string | null
      readonly etag: string
    }
  }
  /** How people can sign in here. */
  readonly 'GET /api/v1/sign-in': {
    readonly answer: { readonly needs_first_user: boolean; readonly passwords: boolean; readonly provider: string | null }
  }
  /** Signs in with a password. The answer sets a cookie, which the calls of a browser are made with. */
  readonly 'POST /api/v1/sign-in': {
    readonly body: { readonly email: string; readonly password: string }
    readonly answer: { readonly state: 'signed_in' | 'code_needed' }
  }
  /** The second step of signing in: a code of the authenticator app, or a recovery code. */
  readonly 'POST /api/v1/sign-in/code': {
    readonly body: { readonly code: string }
    readonly answer: { readonly state: 'signed_in' | 'code_needed' }
  }
  /** Sets a password with a one-time link. That of the first start creates the first administrator. */
  readonly 'POST /api/v1/sign-in/link': {
    readonly body: {
      readonly code: string
      readonly password: string
      readonly email?: string | undefined
      readonly name?: string | undefined
    }
    readonly answer: {
      readonly user_id: string
      readonly email: string
      readonly name: string
      readonly role: 'admin' | 'analyst' | 'viewer'
      readonly log_types: readonly string[]
      readonly state: 'active' | 'invited' | 'disabled'
      readonly has_password: boolean
      readonly has_second_factor: boolean
      readonly created_time: string
      readonly created_by: string
      readonly last_sign_in_time: string | null
      readonly etag: string
    }
  }
  /** Ends the caller's session. For a token there is nothing to end. */
  readonly 'POST /api/v1/sign-out': {
    readonly answer: { readonly state: 'signed_out' }
  }
  /** The caller's sessions, the newest first. */
  readonly 'GET /api/v1/me/sessions': {
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly session_id: string
        readonly is_current: boolean
        readonly created_time: string
        readonly last_used_time: string
        readonly expires_time: string
        readonly address: string
        readonly user_agent: string
      }[]
      readonly next: string | null
    }
  }
  /** Ends all of the caller's sessions at once, but the one that this call belongs to. */
  readonly 'DELETE /api/v1/me/sessions': {
    readonly answer: { readonly state: 'done'; readonly ended: number }
  }
  /** Ends one of the caller's sessions at once. */
  readonly 'DELETE /api/v1/me/sessions/{id}': {
    readonly path: { readonly id: string }
    readonly answer: { readonly state: 'done' }
  }
  /** Changes the caller's password, and ends all other sessions. */
  readonly 'POST /api/v1/me/password': {
    readonly body: { readonly current_password: string; readonly new_password: string }
    readonly answer: { readonly state: 'done' }
  }
  /** Begins to set up an authenticator app. It counts once a code of it has been confirmed. */
  readonly 'POST /api/v1/me/second-factor': {
    readonly body: { readonly password: string }
    readonly answer: { readonly otpauth_url: string; readonly secret: string; readonly recovery_codes: readonly string[] }
  }
  /** Confirms the authenticator app with one of its codes. From now on, signing in takes one. */
  readonly 'POST /api/v1/me/second-factor/confirm': {
    readonly body: { readonly code: string }
    readonly answer: { readonly state: 'done' }
  }
  /** Removes the caller's authenticator app. */
  readonly 'POST /api/v1/me/second-factor/remove': {
    readonly body: { readonly password: string }
    readonly answer: { readonly state: 'done' }
  }
  /** The caller's own tokens, oldest first. */
  readonly 'GET /api/v1/me/tokens': {
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly token_id: string
        readonly name: string
        readonly role: 'admin' | 'analyst' | 'viewer' | 'ingest'
        readonly log_types: readonly string[]
        readonly cidrs: readonly string[]
        readonly state: 'active' | 'expired' | 'revoked'
        readonly created_time: string
        readonly created_by: string
        readonly expires_time: string | null
        readonly revoked_time: string | null
        readonly revoked_by: string | null
        readonly last_used_time: string | null
        readonly last_address: string | null
        readonly user: string | null
        readonly etag: string
      }[]
      readonly next: string | null
    }
  }
  /** Creates a token for programs of the caller. It can do and see no more than the caller, and ends with the account. */
  readonly 'POST /api/v1/me/tokens': {
    readonly body: {
      readonly name: string
      readonly cidrs?: readonly string[] | undefined
      readonly expires?: string | undefined
      readonly role: 'admin' | 'analyst' | 'viewer'
      readonly log_types?: readonly string[] | undefined
    }
    readonly answer: {
      readonly token_id: string
      readonly name: string
      readonly role: 'admin' | 'analyst' | 'viewer' | 'ingest'
      readonly log_types: readonly string[]
      readonly cidrs: readonly string[]
      readonly state: 'active' | 'expired' | 'revoked'
      readonly created_time: string
      readonly created_by: string
      readonly expires_time: string | null
      readonly revoked_time: string | null
      readonly revoked_by: string | null
      readonly last_used_time: string | null
      readonly last_address: string | null
      readonly user: string | null
      readonly etag: string
      readonly token: string
    }
  }
  /** Revokes one of the caller's tokens at once. */
  readonly 'POST /api/v1/me/tokens/{id}/revoke': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly token_id: string
      readonly name: string
      readonly role: 'admin' | 'analyst' | 'viewer' | 'ingest'
      readonly log_types: readonly string[]
      readonly cidrs: readonly string[]
      readonly state: 'active' | 'expired' | 'revoked'
      readonly created_time: string
      readonly created_by: string
      readonly expires_time: string | null
      readonly revoked_time: string | null
      readonly revoked_by: string | null
      readonly last_used_time: string | null
      readonly last_address: string | null
      readonly user: string | null
      readonly etag: string
    }
  }
  /** The people who may sign in, by email address. */
  readonly 'GET /api/v1/users': {
    readonly query?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    readonly answer: {
      readonly results: readonly {
        readonly user_id: string
        readonly email: string
        readonly name: string
        readonly role: 'admin' | 'analyst' | 'viewer'
        readonly log_types: readonly string[]
        readonly state: 'active' | 'invited' | 'disabled'
        readonly has_password: boolean
        readonly has_second_factor: boolean
        readonly created_time: string
        readonly created_by: string
        readonly last_sign_in_time: string | null
        readonly etag: string
        readonly sessions: number
        readonly last_used_time: string | null
      }[]
      readonly next: string | null
    }
  }
  /** Creates a user. They set their password with the one-time link of the answer, or sign in at the provider. */
  readonly 'POST /api/v1/users': {
    readonly body: {
      readonly email: string
      readonly name?: string | undefined
      readonly role: 'admin' | 'analyst' | 'viewer'
      readonly log_types?: readonly string[] | undefined
    }
    readonly answer: {
      readonly user_id: string
      readonly email: string
      readonly name: string
      readonly role: 'admin' | 'analyst' | 'viewer'
      readonly log_types: readonly string[]
      readonly state: 'active' | 'invited' | 'disabled'
      readonly has_password: boolean
      readonly has_second_factor: boolean
      readonly created_time: string
      readonly created_by: string
      readonly last_sign_in_time: string | null
      readonly etag: string
      readonly link: string
      readonly expires_time: string
    }
  }
  /** A one-time link to create the first administrator. It replaces the link before. */
  readonly 'POST /api/v1/users/first-link': {
    readonly answer: { readonly link: string; readonly expires_time: string }
  }
  /** Changes what a user may do. It takes effect at once; a user who is disabled is signed out everywhere. */
  readonly 'PATCH /api/v1/users/{id}': {
    readonly path: { readonly id: string }
    readonly body: {
      readonly name?: string | undefined
      readonly role?: 'admin' | 'analyst' | 'viewer' | undefined
      readonly log_types?: readonly string[] | undefined
      readonly disabled?: boolean | undefined
    }
    readonly answer: {
      readonly user_id: string
      readonly email: string
      readonly name: string
      readonly role: 'admin' | 'analyst' | 'viewer'
      readonly log_types: readonly string[]
      readonly state: 'active' | 'invited' | 'disabled'
      readonly has_password: boolean
      readonly has_second_factor: boolean
      readonly created_time: string
      readonly created_by: string
      readonly last_sign_in_time: string | null
      readonly etag: string
    }
  }
  /** Removes a user with their sessions; their tokens end. What they did keeps their name. */
  readonly 'DELETE /api/v1/users/{id}': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly user_id: string
      readonly email: string
      readonly name: string
      readonly role: 'admin' | 'analyst' | 'viewer'
      readonly log_types: readonly string[]
      readonly state: 'active' | 'invited' | 'disabled'
      readonly has_password: boolean
      readonly has_second_factor: boolean
      readonly created_time: string
      readonly created_by: string
      readonly last_sign_in_time: string | null
      readonly etag: string
    }
  }
  /** Ends all sessions of a user and makes a one-time link for a new password. The old one is valid until the link is used. */
  readonly 'POST /api/v1/users/{id}/reset': {
    readonly path: { readonly id: string }
    readonly body?: { readonly second_factor?: boolean | undefined }
    readonly answer: {
      readonly user_id: string
      readonly email: string
      readonly name: string
      readonly role: 'admin' | 'analyst' | 'viewer'
      readonly log_types: readonly string[]
      readonly state: 'active' | 'invited' | 'disabled'
      readonly has_password: boolean
      readonly has_second_factor: boolean
      readonly created_time: string
      readonly created_by: string
      readonly last_sign_in_time: string | null
      readonly etag: string
      readonly link: string
      readonly expires_time: string
    }
  }
  /** Ends all sessions of a user at once, but the one that this call belongs to. Their password and their tokens stay. */
  readonly 'DELETE /api/v1/users/{id}/sessions': {
    readonly path: { readonly id: string }
    readonly answer: { readonly state: 'done'; readonly ended: number }
  }
  /** Judges stored events by rules that are not in force, and compares the alerts. Stores and delivers nothing; it is a replay, so `/api/v1/replays/{id}` shows and cancels it. */
  readonly 'POST /api/v1/backtests': {
    readonly body: {
      readonly files: Readonly<Record<string, string>>
      readonly against?: Readonly<Record<string, string>> | undefined
      readonly from: string
      readonly to?: string | undefined
      readonly by?: 'event' | 'received' | undefined
      readonly as_of?: string | undefined
      readonly max_events?: number | undefined
      readonly max_seconds?: number | undefined
    }
    readonly answer: {
      readonly id: string
      readonly kind: 'dead-letters' | 'events' | 'retro-match' | 'backtest'
      readonly state: 'queued' | 'running' | 'done' | 'cancelled' | 'failed'
      readonly dry_run: boolean
      readonly deliver: boolean
      readonly created_time: string
      readonly started_time: string | null
      readonly ended_time: string | null
      readonly chosen: {
        readonly sources: readonly string[]
        readonly reasons: readonly string[]
        readonly since: string | null
        readonly log_types: readonly string[]
        readonly rules: readonly string[]
        readonly from: string | null
        readonly to: string | null
        readonly by: 'event' | 'received' | null
        readonly as_of: string | null
        readonly table: string | null
      }
      readonly generation: string | null
      readonly tables: Readonly<Record<string, string>>
      readonly records: { readonly read: number; readonly of: number | null }
      readonly rows_read: number | null
      readonly stored: number
      readonly filtered: number
      readonly failing: Readonly<Record<string, number>>
      readonly rules: readonly {
        readonly rule_id: string
        readonly matches: number
        readonly known: number
        readonly errors: number
        readonly last_error: string | null
        readonly samples: readonly {
          readonly time: string
          readonly row_id: string
          readonly log_type: string
          readonly title: string
        }[]
      }[]
      readonly alerts: number
      readonly first_alerts: readonly {
        readonly alert_id: string | null
        readonly rule_id: string
        readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
        readonly title: string
        readonly dedup: string
        readonly event_count: number
        readonly first_event_time: string
        readonly last_event_time: string
      }[]
      readonly comparison:
        | readonly {
            readonly rule_id: string
            readonly change: 'added' | 'changed' | 'removed'
            readonly matches: {
              readonly before: number
              readonly after: number
              readonly added: number
              readonly removed: number
            }
            readonly alerts: { readonly before: number; readonly after: number; readonly added: number; readonly removed: number }
            readonly errors: { readonly before: number; readonly after: number }
            readonly last_error: string | null
            readonly added_alerts: readonly {
              readonly alert_id: string | null
              readonly rule_id: string
              readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
              readonly title: string
              readonly dedup: string
              readonly event_count: number
              readonly first_event_time: string
              readonly last_event_time: string
            }[]
            readonly removed_alerts: readonly {
              readonly alert_id: string | null
              readonly rule_id: string
              readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
              readonly title: string
              readonly dedup: string
              readonly event_count: number
              readonly first_event_time: string
              readonly last_event_time: string
            }[]
          }[]
        | null
      readonly notes: readonly string[]
    }
  }
  /** Backs up the data folder while Caracal runs. The answer ends when the backup does; closing the connection ends both. */
  readonly 'POST /api/v1/backups': {
    readonly body: { readonly folder: string }
    readonly answer: Response
  }
  /** What retention has archived: events before matches, then by table and day. */
  readonly 'GET /api/v1/archive': {
    readonly query?: {
      readonly log_type?: string | undefined
      readonly from?: string | undefined
      readonly to?: string | undefined
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    }
    readonly answer: {
      readonly results: readonly {
        readonly database: 'logs' | 'matches'
        readonly log_type: string
        readonly day: string
        readonly rows: number
        readonly bytes: number
        readonly files: number
        readonly columns: number
        readonly schema_versions: readonly number[]
        readonly first_event_time: string
        readonly last_event_time: string
        readonly archived_time: string
        readonly place: string
      }[]
      readonly next: string | null
    }
  }
  /** What was restored from the archive, newest first. */
  readonly 'GET /api/v1/archive/restores': {
    readonly answer: {
      readonly results: readonly {
        readonly id: string
        readonly log_type: string
        readonly from: string
        readonly to: string
        readonly by: string
        readonly state: 'running' | 'done' | 'failed'
        readonly message: string | null
        readonly started_time: string
        readonly finished_time: string | null
        readonly kept_until_time: string
        readonly days: number
        readonly days_done: number
        readonly rows: number
        readonly restored: number
        readonly present: number
      }[]
    }
  }
  /** Loads archived rows back into the lake, without judging them again. It continues after the answer. */
  readonly 'POST /api/v1/archive/restores': {
    readonly body: {
      readonly log_type: string
      readonly from: string
      readonly to: string
      readonly keep_days?: number | undefined
    }
    readonly answer: {
      readonly id: string
      readonly log_type: string
      readonly from: string
      readonly to: string
      readonly by: string
      readonly state: 'running' | 'done' | 'failed'
      readonly message: string | null
      readonly started_time: string
      readonly finished_time: string | null
      readonly kept_until_time: string
      readonly days: number
      readonly days_done: number
      readonly rows: number
      readonly restored: number
      readonly present: number
    }
  }
  /** A restore: how far it is, or what it has loaded. */
  readonly 'GET /api/v1/archive/restores/{id}': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly id: string
      readonly log_type: string
      readonly from: string
      readonly to: string
      readonly by: string
      readonly state: 'running' | 'done' | 'failed'
      readonly message: string | null
      readonly started_time: string
      readonly finished_time: string | null
      readonly kept_until_time: string
      readonly days: number
      readonly days_done: number
      readonly rows: number
      readonly restored: number
      readonly present: number
    }
  }
  /** How long data is kept, how large it is, and what was deleted and archived lately. */
  readonly 'GET /api/v1/retention': {
    readonly answer: {
      readonly last_run_time: string | null
      readonly failed: readonly string[]
      readonly deleted: readonly {
        readonly name: string
        readonly rows: number
        readonly archived: number
        readonly reason: 'age' | 'size'
        readonly time: string
      }[]
      readonly archive: string | null
      readonly bytes: number
      readonly log_types: readonly {
        readonly log_type: string
        readonly rows: number
        readonly bytes: number
        readonly since: string
        readonly days: number | null
      }[]
    }
  }
  /** Deletes a value, such as a person's address or user name, from everything that is stored. It continues after the answer. */
  readonly 'POST /api/v1/deletions': {
    readonly body: {
      readonly indicator: string
      readonly type?: 'ip' | 'domain' | 'email' | 'user' | 'hash' | 'other' | undefined
      readonly reason: string
      readonly dry_run?: boolean | undefined
    }
    readonly answer: {
      readonly id: string
      readonly sha256: string
      readonly salt: string
      readonly type: 'ip' | 'domain' | 'email' | 'user' | 'hash' | 'other' | null
      readonly reason: string
      readonly by: string
      readonly dry_run: boolean
      readonly state: 'running' | 'done' | 'failed'
      readonly message: string | null
      readonly started_time: string
      readonly finished_time: string | null
      readonly rows: Readonly<Record<string, number>>
      readonly held_alerts: readonly string[]
      readonly remaining: readonly string[]
      readonly archive: string | null
      readonly backups: readonly string[]
    }
  }
  /** A deletion: what it has found, and what is left. */
  readonly 'GET /api/v1/deletions/{id}': {
    readonly path: { readonly id: string }
    readonly answer: {
      readonly id: string
      readonly sha256: string
      readonly salt: string
      readonly type: 'ip' | 'domain' | 'email' | 'user' | 'hash' | 'other' | null
      readonly reason: string
      readonly by: string
      readonly dry_run: boolean
      readonly state: 'running' | 'done' | 'failed'
      readonly message: string | null
      readonly started_time: string
      readonly finished_time: string | null
      readonly rows: Readonly<Record<string, number>>
      readonly held_alerts: readonly string[]
      readonly remaining: readonly string[]
      readonly archive: string | null
      readonly backups: readonly string[]
    }
  }
  /** Changes made through the API, calls that were refused and sign-ins, newest first. The events are in `logs.caracal_audit`. */
  readonly 'GET /api/v1/audit': {
    readonly query?: {
      readonly event?: 'change' | 'refused' | 'signed_in' | 'session_moved' | undefined
      readonly caller?: string | undefined
      readonly since?: string | undefined
      readonly until?: string | undefined
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    }
    readonly answer: {
      readonly results: readonly {
        readonly time: string
        readonly audit_event: 'change' | 'refused' | 'signed_in' | 'session_moved'
        readonly caller: string | null
        readonly caller_kind: string | null
        readonly caller_role: string | null
        readonly caller_address: string | null
        readonly operation: string | null
        readonly request_path: string
        readonly status: number
        readonly reason: string | null
        readonly detail?: unknown | undefined
        readonly left_out: number | null
      }[]
      readonly next: string | null
    }
  }
  /** Live updates as server-sent events. Callers who may only see some log types get those about their alerts. */
  readonly 'GET /api/v1/stream': {
    readonly query?: {
      readonly kind?:
        | readonly (
            | 'alert.created'
            | 'alert.updated'
            | 'alert.delivered'
            | 'source.silent'
            | 'source.resumed'
            | 'table.refreshed'
            | 'table.failing'
            | 'table.recovered'
            | 'rule.off'
            | 'rule.on'
            | 'content.swapped'
            | 'replay.progress'
            | 'health.changed'
          )[]
        | undefined
    }
    readonly event: {
      readonly kind:
        | 'alert.created'
        | 'alert.updated'
        | 'alert.delivered'
        | 'source.silent'
        | 'source.resumed'
        | 'table.refreshed'
        | 'table.failing'
        | 'table.recovered'
        | 'rule.off'
        | 'rule.on'
        | 'content.swapped'
        | 'replay.progress'
        | 'health.changed'
      readonly subject: string
      readonly time: string
      readonly message: string | null
      readonly alert: {
        readonly alert_id: string
        readonly rule_id: string
        readonly rule_name: string
        readonly rule_version: string | null
        readonly retroactive: boolean
        readonly type:
          | 'RULE'
          | 'RULE_ERROR'
          | 'SCHEDULED_RULE'
          | 'SCHEDULED_RULE_ERROR'
          | 'CORRELATION_RULE'
          | 'CORRELATION_RULE_ERROR'
          | 'POLICY'
          | 'POLICY_ERROR'
          | 'SYSTEM'
        readonly title: string
        readonly severity: 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
        readonly status: 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED'
        readonly reason: string | null
        readonly quality: 'USEFUL' | 'NOISE' | null
        readonly owner: string | null
        readonly context_tags: readonly string[]
        readonly version: number
        readonly muted_by: string | null
        readonly merged_into: string | null
        readonly hold: { readonly reason: string; readonly by: string; readonly since_time: string } | null
        readonly dedup: string
        readonly event_count: number
        readonly created_time: string
        readonly updated_time: string
        readonly first_event_time: string
        readonly last_event_time: string
        readonly log_types: readonly string[]
        readonly source_labels: readonly string[]
        readonly latency_ms: number | null
      } | null
    }
    readonly answer: Response
  }
}
