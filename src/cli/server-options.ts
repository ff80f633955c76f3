import type { Command } from 'commander'
import { Client } from './client.ts'
import { type ConfigOptions, configOption, dataDirOption, listenOption, readConfig } from './config.ts'
import type { Io } from './io.ts'

/** Flags of a command that calls the running server. */
export interface ServerFlags extends ConfigOptions {
  readonly json?: boolean
}

/** Adds the options shared by commands that call the running server. */
export function withServer(command: Command): Command {
  return command
    .option('--json', 'for programs: JSON')
    .addOption(configOption())
    .addOption(dataDirOption())
    .addOption(listenOption())
}

/** The running server selected by these flags. */
export function clientOf(flags: ServerFlags, io: Io): Client {
  return new Client(readConfig(flags, io))
}
