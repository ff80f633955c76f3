import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { contentFolders } from '../config/content.ts'
import { cacheFolder } from '../config/env.ts'
import type { TestSettings } from '../packs/settings.ts'
import type { TestScope } from '../packs/test-scope.ts'
import { ConfigError } from '../util/errors.ts'
import { printable } from '../util/terminal.ts'
import { type ConfigOptions, collect, configOption, contentOption, readConfig } from './config.ts'
import { Exit, UsageError } from './exit.ts'
import type { Io } from './io.ts'

/** Flags of every command that works on content without a server. */
export interface ContentFlags extends ConfigOptions {
  readonly path?: string | undefined
  readonly filter?: readonly string[] | undefined
  readonly ignoreFiles?: readonly string[] | undefined
  readonly ignoreExtraKeys?: boolean | undefined
}

/** Adds the options shared by commands that work on content without a server. */
export function withContent(command: Command, what: string): Command {
  return command
    .option('--path <dir>', `only the ${what} below this folder (default: the working folder and what else is named)`)
    .addOption(contentOption())
    .option('--filter <key=value,…>', 'only rules whose YAML has these values; can be repeated', collect)
    .option('--ignore-files <name>', 'a YAML file to ignore; can be repeated', collect)
    .option('--ignore-extra-keys', 'treat unknown keys of rules and policies as notices')
    .addOption(new Option('--no-ignore-extra-keys').hideHelp())
    .addOption(configOption())
}

/** The content that a command works on, and all settings. */
export interface Selected {
  readonly scope: TestScope
  readonly settings: TestSettings
  /** Problems with `disabled_packs` in the configuration, if all content is checked. */
  readonly packProblems: readonly string[]
}

/**
 * Finds and reads the content of these flags, of the `PANTHER_*` variables and of `.panther_settings.yml` in the working folder,
 * in this order of precedence. An invalid filter makes the command exit with 1, like in Panther's tool.
 */
export async function selectContent(flags: ContentFlags & TestSettings, io: Io): Promise<Selected> {
  const { environmentSettings, mergeSettings, readSettings } = await import('../packs/settings.ts')
  const { parseFilters } = await import('../packs/filter.ts')
  const { unknownPacks } = await import('../packs/packs.ts')
  const { selectTests } = await import('../packs/test-scope.ts')
  const settings = mergeSettings(flags, environmentSettings(io.env), readSettings(process.cwd()))
  const { path, filter = [], ignoreFiles = [], ignoreExtraKeys = false } = settings
  const config = readConfig(flags, io)
  if (path !== undefined && !existsSync(path)) throw new UsageError(`--path '${path}' does not exist`)
  try {
    parseFilters(filter)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    io.err(`caracal: ${printable(error.message)}\n`)
    throw new Exit(1)
  }
  const scope = await selectTests({
    path: path === undefined ? undefined : resolve(path),
    folders: contentFolders(config),
    filters: filter,
    ignore: ignoreFiles,
    cache: join(cacheFolder(io.env), 'content'),
    ignoreExtraKeys,
    without: [config.data_dir],
  })
  if (scope.isElsewhere) io.err(`There is no content in ${process.cwd()}: only the shipped packs are checked.\n`)
  const packProblems = path === undefined ? unknownPacks(scope.content.packs, config) : []
  return { scope, settings, packProblems }
}
