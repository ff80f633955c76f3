import { resolve } from 'node:path'
import { Option } from 'commander'
import { type Config, configSchema } from '../config/config.ts'
import { configFile, loadConfig } from '../config/load.ts'
import { UsageError } from './exit.ts'
import type { Io } from './io.ts'

/** Command-line options for the configuration. */
export interface ConfigOptions {
  readonly config?: string
  readonly content?: readonly string[]
  readonly dataDir?: string
  readonly listen?: string
}

/**
 * The configuration from file, environment and command line; the command line takes precedence. Throws `ConfigError`,
 * `UsageError`.
 */
export function readConfig(options: ConfigOptions, io: Io): Config {
  const config = loadConfig(options.config, io.env)
  return {
    ...config,
    content: [...config.content, ...(options.content ?? [])],
    ...(options.dataDir !== undefined && { data_dir: resolve(options.dataDir) }),
    ...(options.listen !== undefined && { listen: checkListen(options.listen) }),
  }
}

/** The absolute path of the configuration file, if there is one. */
export function configFileOf({ config }: ConfigOptions): string | undefined {
  const file = configFile(config)
  return file === undefined ? undefined : resolve(file)
}

function checkListen(text: string): string {
  const parsed = configSchema.shape.listen.safeParse(text)
  if (!parsed.success) throw new UsageError(`--listen '${text}' is not an address and port, as in 127.0.0.1:4848`)
  return parsed.data
}

export const configOption = () => new Option('--config <file>', 'configuration file (default: caracal.yml, if it exists)')
export const contentOption = () =>
  new Option('--content <dir>', 'folder of rules, schemas and tables; can be repeated').argParser(collect)
export const dataDirOption = () => new Option('--data-dir <dir>', 'data folder (default: data_dir of the configuration)')
export const listenOption = () => new Option('--listen <address:port>', 'address (default: listen of the configuration)')

/** Collects the values of an option that can be repeated. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value]
}
