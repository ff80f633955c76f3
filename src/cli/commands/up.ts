import type { Command } from 'commander'
import type { Config } from '../../config/config.ts'
import type { Engine } from '../../engine/engine.ts'
import { processLog } from '../../telemetry/log.ts'
import { type ConfigOptions, configOption, contentOption, dataDirOption, listenOption, readConfig } from '../config.ts'
import { Exit } from '../exit.ts'
import type { Io } from '../io.ts'
import { onHangup, stopSignals } from '../signals.ts'

interface Flags extends ConfigOptions {
  readonly demo: boolean
}

const HELP = `
SIGTERM or Ctrl-C: what is under way is finished, then it ends with 0; a second one ends it at once with 130.
SIGHUP: content is read again, as \`caracal reload\` does.
Exit code: 2 configuration or content cannot be used; 1 storage fails, or a part of it died.

Examples:
  caracal up
  caracal up --no-demo --content ./detections --listen 0.0.0.0:4848`

export function registerUp(program: Command, io: Io): void {
  program
    .command('up')
    .summary('start Caracal')
    .description('Starts Caracal: ingest, detection, alerts, lake and API on one port. The first start shows a demo.')
    .option('--no-demo', 'do not show the bundled sample on a first start')
    .addOption(contentOption())
    .addOption(configOption())
    .addOption(dataDirOption())
    .addOption(listenOption())
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => up(readConfig(flags, io), flags.demo, io))
}

async function up(config: Config, demo: boolean, io: Io): Promise<void> {
  const signals = stopSignals()
  let reload = () => {}
  // Taken from the beginning: a hangup while it starts must not end it.
  const dispose = onHangup(() => reload())
  try {
    const { serve } = await import('../serve.ts')
    const { startEngine } = await import('../../engine/start.ts')
    const running = await serve(config, () => startEngine(config, { demo }), io)
    reload = () => void reloadQuietly(running.engine)
    const ended = await Promise.race([
      signals.first,
      running.engine.failed,
      running.greet().then(() => Promise.race([signals.first, running.engine.failed])),
    ])
    await end(ended, running, io)
  } finally {
    signals.dispose()
    dispose()
  }
}

async function reloadQuietly(engine: Engine): Promise<void> {
  try {
    await engine.reloadContent('signal')
  } catch (error) {
    processLog().error({ err: error }, 'Content could not be reloaded.')
  }
}

/** How long a broken engine may take to end. */
const BROKEN_STOP_MS = 10_000

async function end(
  why: NodeJS.Signals | Error,
  running: { readonly engine: Engine; stop(): Promise<void> },
  io: Io,
): Promise<void> {
  if (!(why instanceof Error)) {
    if (io.isTty) io.err('\nStopping: what is under way is finished first. Ctrl-C again ends it at once.\n')
    await running.stop()
    return leave(0)
  }
  processLog().error({ err: why }, 'Caracal cannot go on and ends; start it again. Nothing that was acknowledged is lost.')
  await Promise.race([running.stop().catch(() => {}), new Promise((resolve) => setTimeout(resolve, BROKEN_STOP_MS).unref())])
  leave(1)
}

/** What a part left behind must not keep the process from ending. */
const LEAVE_MS = 2000

function leave(code: number): void {
  setTimeout(() => process.exit(code), LEAVE_MS).unref()
  if (code !== 0) throw new Exit(code)
}
