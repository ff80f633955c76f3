import type { AlertNotice } from './engine.ts'
import type { PipelineProgress, PipelineReady } from './pipeline-messages.ts'
import { Problems } from './problems.ts'

/** What the threads report, kept for whoever wants to know. */
export class Events {
  readonly ready: Promise<PipelineReady>
  readonly failed: Promise<Error>
  readonly listeners: ((alert: AlertNotice) => void)[] = []
  /** What is wrong now. */
  readonly problems = new Problems(Date.now)
  onProgress: (progress: PipelineProgress) => void = () => {}
  setReady!: (ready: PipelineReady) => void
  setFailed!: (error: Error) => void

  constructor() {
    this.ready = new Promise((resolve) => {
      this.setReady = resolve
    })
    this.failed = new Promise((resolve) => {
      this.setFailed = resolve
    })
  }
}
