import type { Command } from 'commander'
import { resolveSecret } from '../../config/env.ts'
import { trustedAuthorities } from '../../engine/open-lake.ts'
import { ServerAdministration } from '../../stages/store/clickhouse/administration.ts'
import { Refused } from '../../util/errors.ts'
import { printable } from '../../util/terminal.ts'
import { type ConfigOptions, configOption, readConfig } from '../config.ts'
import type { Io } from '../io.ts'

interface InitFlags extends ConfigOptions {
  readonly print?: true
  readonly takeOver?: true
}

const HELP = `
Makes the databases of the lake and the user as which people's SQL runs, on the server of the lake block in caracal.yml, and as the user
that it names. It can be repeated: after a new password of the reader, and after the limits of queries have changed. See docs/lake.md.

Examples:
  caracal lake init
  caracal lake init --print           the same as SQL, for an administrator`

/** `caracal lake`: what concerns a lake on a server. */
export function registerLake(program: Command, io: Io): void {
  program
    .command('lake')
    .summary('prepare a ClickHouse server for the lake')
    .description('Prepares a ClickHouse server for the lake.')
    .command('init')
    .description("Make the lake's databases and the user as which people's SQL runs.")
    .option('--print', 'print the SQL instead of running it; it contains a hash of the password of the reader')
    .option('--take-over', 'let this data folder write a lake that another one had')
    .addOption(configOption())
    .addHelpText('after', HELP)
    .action((flags: InitFlags) => init(flags, io))
}

async function init({ print, takeOver, ...flags }: InitFlags, io: Io): Promise<void> {
  const config = readConfig(flags, io)
  const { lake, query_timeout_ms: maxQueryMs } = config
  if (lake.type !== 'clickhouse')
    throw new Refused(
      `the lake of this configuration is of the type ${lake.type}, which needs no preparation: only clickhouse does`,
    )
  const secret = (reference: Parameters<typeof resolveSecret>[0]) => resolveSecret(reference, io.env)
  const server = new ServerAdministration(lake, { secret, trusted: trustedAuthorities(config), maxQueryMs })
  try {
    if (print) return io.out(printed(server, lake.cluster?.name))
    if (takeOver) {
      await server.release()
      io.out('The next Caracal that starts with this lake has it.\n')
    }
    await server.init(({ what }, url) =>
      io.out(`Made or brought up to date${lake.cluster ? ` on ${printable(url)}` : ''}: ${printable(what)}.\n`),
    )
    io.out(
      `The ${lake.cluster ? `cluster '${lake.cluster.name}'` : `server at ${printable(lake.url)}`} is ready: start Caracal with \`caracal up\`.\n`,
    )
  } finally {
    await server.close()
  }
}

function printed(server: ServerAdministration, cluster: string | undefined): string {
  const steps = server.steps().map(({ what, sql }) => `-- ${what}\n${sql.map((one) => `${one};\n`).join('')}`)
  if (cluster === undefined) return steps.join('\n')
  const example = server.exampleTables().map((sql) => `${sql};`.replaceAll(/^/gm, '--   '))
  return [
    `-- Run all of this on every server of the cluster '${cluster}'.\n`,
    ...steps,
    `-- Nothing more is to be run. This is how Caracal then creates a table on every server, its part first:\n${example.join('\n')}\n`,
  ].join('\n')
}
