/** What live updates are about. */
export const NEWS_KINDS = [
  'alert.created',
  'alert.updated',
  'alert.delivered',
  'source.silent',
  'source.resumed',
  'table.refreshed',
  'table.failing',
  'table.recovered',
  'rule.off',
  'rule.on',
  'content.swapped',
  'replay.progress',
  'health.changed',
] as const

export type NewsKind = (typeof NEWS_KINDS)[number]

/** Something that has just happened. */
export interface News {
  readonly kind: NewsKind
  /** Id of the alert, source, rule or replay, name of the table, hash of the content; of health, its status. */
  readonly subject: string
  /** A sentence for people. */
  readonly message?: string | undefined
}

export interface NumberedNews extends News {
  /** Names it in this run of the program: a later one has a higher number after the dash. */
  readonly id: string
  readonly atMs: number
}

/** The news since an id, and the news that follow. */
export interface NewsSubscription {
  /** `undefined` if some of them are not kept any more, or the id is of another run. */
  readonly missed: readonly NumberedNews[] | undefined
  readonly stop: () => void
}

/** Begins to call the listener with each news. It must not throw. */
export type Subscribe = (since: string | undefined, listener: (news: NumberedNews) => void) => NewsSubscription
