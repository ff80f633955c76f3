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
SIGTERM or Ctrl-C: finish current work, then exit with 0; a second one exits immediately with 130.
SIGHUP: reread content, like \`caracal reload\`.
Exit code: 2 configuration or content cannot be used; 1 storage failed, or a thread or process died.

Examples:
  caracal up
  caracal up --no-demo --content ./detections --listen 0.0.0.0:4848`

export function registerUp(program: Command, io: Io): void {
  program
    .command('up')
    .summary('start Caracal')
    .description('Starts Caracal: ingest, detection, alerts, lake and API on one port. The first start runs a demo.')
    .option('--no-demo', 'skip the bundled sample on the first start')
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
  // Handled from the beginning, so that a hangup during startup does not kill the process.
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

/** How long a broken engine may take to stop. */
const BROKEN_STOP_MS = 10_000

async function end(
  why: NodeJS.Signals | Error,
  running: { readonly engine: Engine; stop(): Promise<void> },
  io: Io,
): Promise<void> {
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
