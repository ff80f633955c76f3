import { randomUUID } from 'node:crypto'
import { type Command, Option } from 'commander'
import { publicUrl } from '../../config/config.ts'
import { httpSettings } from '../../config/http.ts'
import { SEVERITIES, type Severity } from '../../model/rule.ts'
import { type ConfigOptions, configOption, readConfig } from '../config.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'

interface Flags extends ConfigOptions {
  readonly severity: Severity
}

const HELP = `
Sends one alert titled "Test alert from Caracal" to the configured destination. No running server is needed.
Secrets are read from the environment of this command.
Exit code: 0 the destination accepted it; 1 it did not; 2 usage or configuration, including a missing secret.

Examples:
  caracal destinations test soc
  caracal destinations test pager --severity CRITICAL`

export function registerDestinations(program: Command, io: Io): void {
  const destinations = program
    .command('destinations')
    .summary('send a test alert')
    .description('Checks the configured destinations.')
  destinations
    .command('test <id>')
    .description('Send a test alert to a destination.')
    .addOption(new Option('--severity <severity>', 'severity of the test alert').choices(SEVERITIES).default('INFO'))
    .addOption(configOption())
    .addHelpText('after', HELP)
    .action((id: string, flags: Flags) => test(id, flags, io))
}

async function test(id: string, { severity, ...flags }: Flags, io: Io): Promise<void> {
  const read = readConfig(flags, io)
  const { destinations, http: settings } = read
  const config = destinations.find((destination) => destination.id === id)
  if (!config) {
    const known = destinations.map((destination) => destination.id).join(', ')
    throw new UsageError(`the configuration has no destination '${id}'. It has: ${known || 'none'}`)
  }
  const { createHttp } = await import('../../util/http/http.ts')
  const { openDestination } = await import('../../engine/destinations.ts')
  const { testAlert } = await import('../../stages/deliver/test-alert.ts')
  const http = createHttp(httpSettings(settings, io.env))
  try {
    const destination = await openDestination(config, { env: io.env, http, write: io.out })
    const alert = testAlert(Date.now(), severity, publicUrl(read))
    await destination.send({ id: randomUUID(), kind: 'test', alert }, AbortSignal.timeout(MAX_MS))
    await destination.close()
  } finally {
    await http.close()
  }
  io.err(`Destination ${id} accepted the test alert.\n`)
}

/** Longer than any destination's timeout. */
const MAX_MS = 120_000
