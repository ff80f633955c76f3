import type { Config, SourceConfig } from '../../config/config.ts'
import { allSources } from '../all-sources.ts'
import type { ContentSettings } from '../pipeline-calls.ts'

/** The part of the configuration that can change while running. */
export type Changeable = Pick<Config, 'sources' | 'disabled_packs' | 'enabled_packs'>

/** The configuration in force. */
export class LiveSettings {
  readonly #demo: SourceConfig | undefined
  #config: Config
  #sources: readonly SourceConfig[]
  /** Called when changes are in force. */
  onUse: (() => Promise<void>) | undefined

  constructor(config: Config, demo: SourceConfig | undefined) {
    this.#demo = demo
    this.#config = config
    this.#sources = allSources(config, demo)
  }

  get config(): Config {
    return this.#config
  }

  /** Every source, including the built-in ones. */
  get sources(): readonly SourceConfig[] {
    return this.#sources
  }

  /** What the configuration with these changes says about content. */
  contentOf(changes: Partial<Changeable>): ContentSettings {
    const config = { ...this.#config, ...changes }
    return {
      sources: allSources(config, this.#demo),
      disabledPacks: config.disabled_packs,
      enabledPacks: config.enabled_packs,
    }
  }

  /** The changes are in force. */
  async use(changes: Partial<Changeable>): Promise<void> {
    this.#config = { ...this.#config, ...changes }
    this.#sources = allSources(this.#config, this.#demo)
    await this.onUse?.()
  }
}
