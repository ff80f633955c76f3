import type { Missed } from '../stages/enrich/live/missed-addresses.ts'
import type { AlertNotice } from './engine.ts'
import { NewsBoard } from './news/news-board.ts'
import type { PipelineProgress } from './pipeline-calls.ts'
import { Problems } from './problems.ts'
import { RuleStates } from './rule-states.ts'

const MAX_EARLY = 1000

/** What the threads report, for any number of listeners. */
export class Events {
  readonly failed: Promise<Error>
  /** What is wrong now. */
  readonly problems = new Problems(Date.now)
  readonly rules = new RuleStates(Date.now)
  /** What has happened, for live updates. */
  readonly news = new NewsBoard(Date.now)
  /** Called when there are new deliveries to make. */
  onDeliveries: () => void = () => {}
  /** Called when something was committed that is not from a source, such as a part of a replay. */
  onOther: () => void = () => {}
  /** Called with addresses that live tables lack. */
  onMissed: (missed: readonly Missed[]) => void = () => {}
  setFailed!: (error: Error) => void

  readonly #listeners: ((alert: AlertNotice) => void)[] = []
  /** Alerts opened before the first listener, at most `MAX_EARLY`. */
  #early: AlertNotice[] = []

  constructor() {
    this.failed = new Promise((resolve) => {
      this.setFailed = resolve
    })
  }

  committed(progress: PipelineProgress): void {
    this.rules.committed(progress)
    if (progress.sourceId === undefined) this.onOther()
    if (progress.hasDeliveries) this.onDeliveries()
    for (const alert of progress.opened) this.opened(alert)
    for (const subject of progress.grown) this.news.publish({ kind: 'alert.updated', subject })
  }

  opened(alert: AlertNotice): void {
    this.news.publish({ kind: 'alert.created', subject: alert.alertId, message: alert.title })
    if (this.#listeners.length === 0 && this.#early.length < MAX_EARLY) this.#early.push(alert)
    for (const listener of this.#listeners) listener(alert)
  }

  /** Called for every alert that is opened; the first listener also gets those opened before it listened. */
  listen(listener: (alert: AlertNotice) => void): void {
    this.#listeners.push(listener)
    for (const alert of this.#early.splice(0)) listener(alert)
  }
}
