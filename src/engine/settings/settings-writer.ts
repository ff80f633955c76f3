import { Refused } from '../../util/errors.ts'
import type { ContentReload } from '../content-reload.ts'
import type { ContentChange } from '../engine.ts'
import type { ConfigFile, Draft } from './config-file.ts'
import type { Changeable, LiveSettings } from './live-settings.ts'

export interface SettingsWriterDeps {
  readonly file: ConfigFile
  readonly live: LiveSettings
  readonly content: Pick<ContentReload, 'reload'>
}

/** Changes the configuration file and what is in force together, or neither. */
export class SettingsWriter {
  readonly #deps: SettingsWriterDeps

  constructor(deps: SettingsWriterDeps) {
    this.#deps = deps
  }

  /** See `ConfigFile`. */
  draft(change: (text: string) => string): Draft {
    return this.#deps.file.draft(change)
  }

  /** Writes the draft and puts the changes in force. Rejects with `Refused` if the content does not work with them; the file stays as it was. */
  async write(draft: Draft, changes: Partial<Changeable>, actor: string): Promise<ContentChange> {
    const { live, content } = this.#deps
    const change = await content.reload({
      cause: 'settings',
      actor,
      settings: live.contentOf(changes),
      apply: draft.apply,
    })
    if (change.outcome === 'broken') {
      const problems = change.problems.map(({ file, message }) => (file === 'content' ? message : `${file}: ${message}`))
      throw new Refused(problems.join('; '))
    }
    await live.use(changes)
    return change
  }
}
