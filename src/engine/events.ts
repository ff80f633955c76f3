import type { AlertNotice } from './engine.ts'
import type { PipelineProgress, PipelineReady } from './pipeline-messages.ts'

/** What the threads tell, kept for who wants to know. */
export class Events {
  readonly ready: Promise<PipelineReady>
  readonly failed: Promise<Error>
  readonly listeners: ((alert: AlertNotice) => void)[] = []
  /** Sentences on what stands in the way now. */
  troubles: readonly string[] = []
  /** Scheduled queries that do not run. */
  queryProblems: readonly string[] = []
  /** What makes it slower than it should be. */
  readonly slower: string[] = []
  deliveryTrouble: string | undefined
  contentProblems: readonly { readonly file: string; readonly message: string }[] = []
  deadDeliveries: () => Promise<number> = async () => 0
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
