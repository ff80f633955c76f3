import type { Finding } from '../model/match.ts'
import type { Detector } from '../stages/detect/language.ts'
import { fromRoots } from '../util/host-paths.ts'

/**
 * The detector, with files of the content folders shown relative to their folder in every error that it reports: users who see rules and
 * alerts need not know where on this machine the content is. What rules return stays unchanged.
 */
export class ShortPaths implements Detector {
  readonly #inner: Detector
  readonly #shorten: (text: string) => string

  /** `roots`: content folders, absolute. */
  constructor(inner: Detector, roots: readonly string[]) {
    this.#inner = inner
    this.#shorten = fromRoots(roots)
  }

  get logTypes() {
    return this.#inner.logTypes
  }

  get setupErrors() {
    return this.#inner.setupErrors.map((error) => this.#short(error))
  }

  get prefiltered() {
    return this.#inner.prefiltered ?? Promise.resolve()
  }

  get pids() {
    return this.#inner.pids ?? []
  }

  ruleIds(logType: string) {
    return this.#inner.ruleIds(logType)
  }

  off() {
    const { setupErrors } = this.#inner
    const off =
      this.#inner.off?.() ??
      setupErrors.map(({ ruleId, cause, message }) => ({ ruleId, cause, message, missed: 0, retryMs: undefined }))
    return off.map((one) => this.#short(one))
  }

  async evaluate(batch: Parameters<Detector['evaluate']>[0]) {
    const findings = await this.#inner.evaluate(batch)
    return findings.map((finding) => this.#shortFinding(finding))
  }

  async unreported() {
    const errors = (await this.#inner.unreported?.()) ?? []
    return errors.map((error) => this.#short(error))
  }

  test(...args: Parameters<Detector['test']>) {
    return this.#inner.test(...args)
  }

  timings() {
    return this.#inner.timings()
  }

  inherit(before: Detector, unchanged: ReadonlySet<string>): void {
    this.#inner.inherit?.(before instanceof ShortPaths ? before.#inner : before, unchanged)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #short<T extends { readonly message: string }>(error: T): T {
    return { ...error, message: this.#shorten(error.message) }
  }

  #shortFinding(finding: Finding): Finding {
    if (finding.kind === 'error') return this.#short(finding)
    const errors = Object.entries(finding.functionErrors)
    if (errors.length === 0) return finding
    return { ...finding, functionErrors: Object.fromEntries(errors.map(([name, text]) => [name, this.#shorten(text)])) }
  }
}
