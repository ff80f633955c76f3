import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Command } from 'commander'
import { mcpServer } from '../../api/mcp/server.ts'
import type { ApiCall } from '../../api/mcp/tools.ts'
import { version } from '../../util/version.ts'
import { type ConfigOptions, configOption, dataDirOption, listenOption } from '../config.ts'
import type { Io } from '../io.ts'
import { clientOf } from '../server-options.ts'

interface Flags extends ConfigOptions {
  readonly write?: boolean
}

const HELP = `
For a program that starts servers of the Model Context Protocol itself, such as an editor or an assistant. It calls the running server with the
token of the data folder. Over HTTP the same tools are at /mcp and, with those that change alerts, at /mcp/write; each needs a token.

Example, as most programs are configured:
  {"mcpServers": {"caracal": {"command": "caracal", "args": ["mcp", "--config", "caracal.yml"]}}}`

export function registerMcp(program: Command, io: Io): void {
  program
    .command('mcp')
    .summary('alerts, rules and logs for assistants (Model Context Protocol)')
    .description(
      'Serves the Model Context Protocol on standard input and output: alerts, timelines, explanations, queries, rules, tables.',
    )
    .option('--write', 'also offer the tools that comment on alerts and change their status')
    .addOption(configOption())
    .addOption(dataDirOption())
    .addOption(listenOption())
    .addHelpText('after', HELP)
    .action(async ({ write = false, ...flags }: Flags) => {
      const client = clientOf(flags, io)
      const callApi = async ({ path, ...options }: ApiCall) => (await client.call(`/api/v1/${path}`, options)).text()
      serveStdio(() => mcpServer(callApi, { version: version(), writes: write }), {
        onerror: (error) => void io.err(`${error.message}\n`),
      })
    })
}
