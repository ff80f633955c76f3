import type { Command } from 'commander'
import { Client } from './client.ts'
import { type ConfigOptions, configOption, dataDirOption, listenOption, readConfig } from './config.ts'
import type { Io } from './io.ts'

/** Flags of a command that asks the running server. */
export interface ServerFlags extends ConfigOptions {
  readonly json?: boolean
}

/** Adds what every command that asks the running server takes. */
export function withServer(command: Command): Command {
  return command
    .option('--json', 'for programs: JSON')
    .addOption(configOption())
    .addOption(dataDirOption())
    .addOption(listenOption())
}

/** The running server of these flags. */
export function clientOf(flags: ServerFlags, io: Io): Client {
  return new Client(readConfig(flags, io))
}
