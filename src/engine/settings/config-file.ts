import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Config } from '../../config/config.ts'
import type { Environment } from '../../config/env.ts'
import { parseConfig, readText } from '../../config/load.ts'
import { ConfigError, Refused } from '../../util/errors.ts'
import { writeFiles } from '../write-files.ts'

/** A change of the configuration file that has been checked and not been written. */
export interface Draft {
  /** The text of the file as it is. */
  readonly before: string
  /** What the whole file would be. */
  readonly config: Config
  /** Writes it. The function it returns writes back what was there before. Rejects with `Refused` if the file has changed meanwhile. */
  readonly apply: () => Promise<() => Promise<void>>
}

/** The configuration file that Caracal was started with. */
export class ConfigFile {
  readonly #path: string | undefined
  readonly #env: Environment

  /** Without a path, nothing can be changed. */
  constructor(path: string | undefined, env: Environment) {
    this.#path = path
    this.#env = env
  }

  /** The file with a change to its text. Throws `Refused` if it would not be accepted at a start, or there is no file. */
  draft(change: (text: string) => string): Draft {
    const path = this.#path
    if (path === undefined)
      throw new Refused(
        'Caracal was started without a configuration file, so there is nothing to write this to: create one with `caracal init`, and start with --config',
      )
    const { before, after, config } = this.#changed(path, change)
    return {
      before,
      config,
      apply: async () => {
        const now = readFileSync(path)
        if (!now.equals(Buffer.from(before))) throw new Refused('the configuration file has changed in the meantime: try again')
        return writeFiles([{ file: path, before: now, after: Buffer.from(after) }])
      },
    }
  }

  #changed(path: string, change: (text: string) => string) {
    try {
      const before = readText(path)
      const after = change(before)
      return { before, after, config: parseConfig(after, path, this.#env) }
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      // Callers learn the key and the line, but not where the file is.
      throw new Refused(error.message.replaceAll(path, basename(path)), { cause: error })
    }
  }
}
