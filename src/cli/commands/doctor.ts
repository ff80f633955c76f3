import { join } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../../config/config.ts'
import { cacheFolder } from '../../config/env.ts'
import type { Examination, Finding } from '../../engine/doctor/examination.ts'
import { ConfigError, messageOf } from '../../util/errors.ts'
import { printable } from '../../util/terminal.ts'
import { checkSecrets } from '../check-secrets.ts'
import { CallFailed, Client } from '../client.ts'
import { configOption, contentOption, dataDirOption, listenOption, readConfig } from '../config.ts'
import type { Io } from '../io.ts'
import type { ServerFlags } from '../server-options.ts'
import { counted } from '../style.ts'

interface Health {
  readonly status: 'ok' | 'degraded' | 'failing'
  readonly problems: readonly string[]
}

/** What the running server says, why it does not say anything, or `undefined` if none is running. */
type Server = Health | Error | undefined

interface Named extends Finding {
  readonly name: string
}

const HELP = `
Examines the version of Node, open files, configuration and secrets, clock, disk, data folder, ports, state, spool, lake, content, and
the running server if there is one. It changes nothing and can be run at any time, as the user that runs Caracal. The checksums of the
lake are compared only while Caracal is stopped.
Exit code: 0 nothing failed; 1 something failed; 2 usage.

Examples:
  caracal doctor
  sudo -u caracal caracal doctor --config /etc/caracal/caracal.yml
  caracal doctor --json`

/** `caracal doctor`: works with and without a server. */
export function registerDoctor(program: Command, io: Io): void {
  program
    .command('doctor')
    .summary('examine this machine, the data folder and the configuration')
    .description('Examines everything that Caracal depends on here, one line each, and says what to do about what is wrong.')
    .option('--json', 'one JSON object per line, then a summary')
    .addOption(configOption())
    .addOption(contentOption())
    .addOption(dataDirOption())
    .addOption(listenOption())
    .addHelpText('after', HELP)
    .action(async (flags: ServerFlags) => {
      process.exitCode = await doctor(flags, io)
    })
}

async function doctor(flags: ServerFlags, io: Io): Promise<0 | 1> {
  const { machineExaminations, examinations, isInUse } = await import('../../engine/doctor/index.ts')
  const found: Named[] = []
  const run = async (examination: Examination) => {
    const finding = { name: examination.name, ...(await findingOf(examination)) }
    found.push(finding)
    io.out(flags.json ? `${JSON.stringify(finding)}\n` : lineOf(finding))
  }
  for (const examination of machineExaminations()) await run(examination)
  let config = undefined as Config | undefined
  await run({
    name: 'configuration',
    run: async () => {
      config = readConfig(flags, io)
      const problems = await checkSecrets(config, io.env)
      const advice = 'fix the file, or set the variables: the environment of this command counts, not that of a service'
      return problems.length > 0
        ? { state: 'failed', message: problems.join('; '), advice }
        : {
            state: 'ok',
            message: `${counted(config.sources.length, 'source')}, ${counted(config.destinations.length, 'destination')}`,
          }
    },
  })
  const known = config
  if (known) {
    const server = await healthOf(known).catch((error: Error) => error)
    const isRunning = !(server instanceof Error) || isInUse(known.data_dir)
    const cache = join(cacheFolder(io.env), 'content')
    for (const examination of examinations(known, { isRunning, cacheFolder: cache })) await run(examination)
    await run({ name: 'server', run: () => ofServer(isRunning ? server : undefined, known) })
  }
  const number = (state: Finding['state']) => found.filter((finding) => finding.state === state).length
  const summary = { ok: number('ok'), warning: number('warning'), failed: number('failed'), skipped: number('skipped') }
  if (flags.json) io.out(`${JSON.stringify({ summary })}\n`)
  else
    io.out(`\n${summary.ok} ok, ${counted(summary.warning, 'warning')}, ${summary.failed} failed, ${summary.skipped} skipped\n`)
  return summary.failed > 0 ? 1 : 0
}

async function findingOf(examination: Examination): Promise<Finding> {
  try {
    return await examination.run()
  } catch (error) {
    const advice = error instanceof ConfigError ? 'correct it; everything that depends on it was left out' : 'see the message'
    return { state: 'failed', message: messageOf(error), advice }
  }
}

const STATE_WIDTH = 9
const NAME_WIDTH = 15

function lineOf({ state, name, message, advice }: Named): string {
  const indent = ' '.repeat(STATE_WIDTH + NAME_WIDTH)
  const lines = message.split('\n').map(printable).join(`\n${indent}`)
  return `${state.padEnd(STATE_WIDTH)}${name.padEnd(NAME_WIDTH)}${lines}\n${advice === undefined ? '' : `${indent}→ ${printable(advice)}\n`}`
}

const HEALTH_MS = 10_000

function healthOf(config: Config): Promise<Health> {
  return new Client(config).json<Health>('/api/v1/health', { signal: AbortSignal.timeout(HEALTH_MS) })
}

function ofServer(server: Server, { data_dir }: Config): Finding {
  if (!server) return { state: 'skipped', message: 'Caracal is not running with this configuration' }
  if (server instanceof CallFailed && server.code === 'starting') return { state: 'ok', message: 'it is starting' }
  if (server instanceof Error)
    return {
      state: 'failed',
      message: `a Caracal has ${data_dir} open, but it does not answer: ${messageOf(server)}`,
      advice: 'if it runs with other options, pass them here too (--config, --listen); otherwise read its log, and restart it',
    }
  if (server.status === 'ok') return { state: 'ok', message: 'running, and healthy' }
  const state = server.status === 'failing' ? 'failed' : 'warning'
  return { state, message: `running, ${server.status}: ${server.problems.join('; ')}`, advice: '`caracal health` says more' }
}
