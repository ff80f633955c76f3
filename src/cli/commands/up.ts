import { type Command, Option } from 'commander'
import type { Config } from '../../config/config.ts'
import { nodeName, nodeSchema } from '../../config/node.ts'
import type { Engine } from '../../engine/engine.ts'
import { isOnServers } from '../../engine/on-servers.ts'
import { chosenProgram, type NodeRole, ROLES } from '../../engine/roles.ts'
import type { StartOptions } from '../../engine/start.ts'
import { nameLog, processLog } from '../../telemetry/log.ts'
import {
  type ConfigOptions,
  configFileOf,
  configOption,
  contentOption,
  dataDirOption,
  listenOption,
  readConfig,
} from '../config.ts'
import { Exit, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import type { RunningNode } from '../running-node.ts'
import { onHangup, stopSignals } from '../signals.ts'

interface Flags extends ConfigOptions {
  readonly demo: boolean
  readonly role: readonly NodeRole[]
  readonly node?: string
}

const HELP = `
SIGTERM or Ctrl-C: finish current work, then exit with 0; a second one exits immediately with 130.
SIGHUP: reread content, like \`caracal reload\`.
With state, lake and spool on servers, a second node with the same ones waits as a standby, forwards calls, and takes over when the first one ends.
Exit code: 2 configuration or content cannot be used; 1 storage failed, or a thread or process died.

Examples:
  caracal up
  caracal up --no-demo --content ./detections --listen 0.0.0.0:4848
  caracal up --role ingest --node edge-1
  caracal up --role worker --node worker-1
  caracal up --role api --node door-1
  caracal up --role api,keeper`

export function registerUp(program: Command, io: Io): void {
  program
    .command('up')
    .summary('start Caracal')
    .description('Starts Caracal: ingest, detection, alerts, lake and API on one port. The first start runs a demo.')
    .option('--no-demo', 'skip the bundled sample on the first start')
    .addOption(roleOption())
    .addOption(nodeOption())
    .addOption(contentOption())
    .addOption(configOption())
    .addOption(dataDirOption())
    .addOption(listenOption())
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      const config = { ...readConfig(flags, io), ...(flags.node !== undefined && { node: flags.node }) }
      if (config.node !== undefined || isOnServers(config)) nameLog(nodeName(config))
      const program = chosenProgram(flags.role, config)
      if (program === 'ingest' || program === 'ingest,api')
        return runNode(async () => (await import('../serve-ingest.ts')).serveIngest(config, program), io)
      if (program === 'api') return runNode(async () => (await import('../serve-api.ts')).serveApi(config), io)
      if (program === 'worker') return runNode(async () => (await import('../serve-worker.ts')).serveWorker(config), io)
      return up(config, { demo: flags.demo, isSparing: program === 'keeper', configFile: configFileOf(flags) }, io)
    })
}

const roleOption = () =>
  new Option(
    '--role <roles>',
    'what this node does: ingest (only receive), worker (only judge for the active node), api (only forward to the active node), ingest,api, api,keeper (everything, but judge only while there is no worker), or worker,api,keeper (default: everything)',
  )
    .default([], 'everything')
    .argParser((text: string) =>
      text.split(',').map((role) => {
        const known = ROLES.find((one) => one === role)
        if (known === undefined) throw new UsageError(`--role '${role}' is not a role. Known: ${ROLES.join(', ')}`)
        return known
      }),
    )

const nodeOption = () =>
  new Option('--node <name>', 'name of this node (default: node of the configuration, or the name of the machine)').argParser(
    (text: string) => {
      const parsed = nodeSchema.safeParse(text)
      if (!parsed.success) throw new UsageError(`--node '${text}' is not a name: ${parsed.error.issues[0]?.message}`)
      return parsed.data
    },
  )

/** Runs a node that is never active, until it is stopped or cannot continue. */
async function runNode(start: () => Promise<RunningNode>, io: Io): Promise<void> {
  const signals = stopSignals()
  try {
    const running = await start()
    await end(await Promise.race([signals.first, running.failed]), running, io)
  } finally {
    signals.dispose()
  }
}

async function up(config: Config, options: StartOptions, io: Io): Promise<void> {
  const signals = stopSignals()
  let reload = () => {}
  // Handled from the beginning, so that a hangup during startup does not kill the process.
  const dispose = onHangup(() => reload())
  try {
    const { serve } = await import('../serve.ts')
    const { startEngine } = await import('../../engine/start.ts')
    const ending = new AbortController()
    const started = serve(config, (onStandby) => startEngine(config, { ...options, onStandby, signal: ending.signal }), io)
    // A standby has nothing to finish.
    void signals.first.then(() => ending.abort(new Stopped()))
    const running = await started
    reload = () => void reloadQuietly(running.engine)
    const ended = await Promise.race([
      signals.first,
      running.engine.failed,
      running.greet().then(() => Promise.race([signals.first, running.engine.failed])),
    ])
    await end(ended, running, io)
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    leave(0)
  } finally {
    signals.dispose()
    dispose()
  }
}

/** Asked to stop while it waited for another process. */
class Stopped extends Error {}

async function reloadQuietly(engine: Engine): Promise<void> {
  try {
    await engine.reloadContent('signal')
  } catch (error) {
    processLog().error({ err: error }, 'Content could not be reloaded.')
  }
}

/** How long a broken engine may take to stop. */
const BROKEN_STOP_MS = 10_000

async function end(why: NodeJS.Signals | Error, running: { stop(): Promise<void> }, io: Io): Promise<void> {
  if (!(why instanceof Error)) {
    if (io.isTty) io.err('\nStopping once current work is finished. Press Ctrl-C again to stop immediately.\n')
    await running.stop()
    return leave(0)
  }
  processLog().error({ err: why }, 'Caracal cannot continue and exits; start it again. Nothing that was acknowledged is lost.')
  await Promise.race([running.stop().catch(() => {}), new Promise((resolve) => setTimeout(resolve, BROKEN_STOP_MS).unref())])
  leave(1)
}

/** Whatever is left running must not keep the process from exiting. */
const LEAVE_MS = 2000

function leave(code: number): void {
  setTimeout(() => process.exit(code), LEAVE_MS).unref()
  if (code !== 0) throw new Exit(code)
}
