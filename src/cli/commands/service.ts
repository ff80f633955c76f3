import { accessSync, constants, existsSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { Config } from '../../config/config.ts'
import { DEFAULT_FILE } from '../../config/load.ts'
import { packageRoot } from '../../util/entry.ts'
import { messageOf } from '../../util/errors.ts'
import { type ConfigOptions, collect, configOption, dataDirOption, readConfig } from '../config.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { quotedForShell } from '../self.ts'
import { folderSteps } from '../service/folders.ts'
import { LABEL, launchdPlist } from '../service/launchd.ts'
import type { Service } from '../service/service.ts'
import { systemdUnit } from '../service/systemd.ts'

interface Flags extends ConfigOptions {
  readonly user: string
  readonly log?: string
  readonly backups: readonly string[]
  readonly print?: boolean
  readonly manager: keyof typeof MANAGERS
}

/** Where each kind of service file belongs, its text, and how to start it. */
const MANAGERS = {
  systemd: {
    file: '/etc/systemd/system/caracal.service',
    text: systemdUnit,
    next: (service: Service) => [
      `id ${service.user} || useradd --system --shell /usr/sbin/nologin --home-dir ${quotedForShell(service.dataDir)} ${service.user}`,
      ...folderSteps(service),
      'systemctl daemon-reload',
      'systemctl enable --now caracal',
      service.log === undefined ? 'journalctl -u caracal -f' : `tail -F ${quotedForShell(service.log)}`,
    ],
  },
  launchd: {
    file: `/Library/LaunchDaemons/${LABEL}.plist`,
    text: launchdPlist,
    next: (service: Service) => [
      ...folderSteps(service),
      `launchctl bootstrap system /Library/LaunchDaemons/${LABEL}.plist`,
      `tail -F ${quotedForShell(service.log ?? join(service.dataDir, 'caracal.log'))}`,
    ],
  },
} as const

const HELP = `
Writes a systemd unit (on macOS a launchd job) that runs \`caracal up\` with this configuration, closed off from the rest of the machine as
far as the configuration allows. It starts nothing: the commands for that are printed. Run it again after changing \`data_dir\`, \`listen\`,
sources or destinations of type file, since they decide what the service may do. Needs root, except with --print.

The running service writes backups itself, and under systemd only below the folders given with --backups.
Exit code: 0 written or printed; 2 usage, configuration, or the file cannot be written.

Examples:
  caracal service install --print
  sudo caracal service install --config /etc/caracal/caracal.yml --data-dir /var/lib/caracal
  sudo caracal service install --backups /srv/backups
  sudo caracal service install --user siem --log /var/log/caracal.log`

/** `caracal service install`: works without a server. */
export function registerService(program: Command, io: Io): void {
  const service = program.command('service').summary('run as a service of this machine').description('Runs Caracal as a service.')
  service
    .command('install')
    .description('Write a service file for systemd or launchd.')
    .option('--print', 'print the file instead of writing it')
    .option('--user <name>', 'the user that runs Caracal', 'caracal')
    .option('--log <file>', 'write messages to this file (default: the journal)')
    .option('--backups <folder>', 'a folder that backups may be written to; can be repeated', collect, [])
    .addOption(
      new Option('--manager <name>', 'the kind of service file')
        .choices(Object.keys(MANAGERS))
        .default(process.platform === 'darwin' ? 'launchd' : 'systemd'),
    )
    .addOption(configOption())
    .addOption(dataDirOption())
    .addHelpText('after', HELP)
    .action((flags: Flags) => install(flags, io))
}

function install(flags: Flags, io: Io): void {
  const { file, text, next } = MANAGERS[flags.manager]
  const service = serviceOf(flags, io)
  for (const value of [
    ...service.command,
    service.folder,
    service.dataDir,
    ...service.writes,
    ...service.backups,
    service.log ?? '',
  ])
    if (/[\p{Cc}"]/u.test(value))
      throw new UsageError(
        `the path ${JSON.stringify(value)} has a quote or control character, which a service file cannot contain`,
      )
  const contents = text(service)
  if (flags.print) {
    io.out(contents)
    io.err(`\nThis belongs in ${file}. ${nextSteps(next(service))}`)
    return
  }
  try {
    accessSync(dirname(file), constants.W_OK)
    writeFileSync(file, contents, { mode: 0o644 })
  } catch (error) {
    throw new UsageError(
      `${file} cannot be written: ${messageOf(error)}. Run this as root, or use --print and put the text there yourself`,
    )
  }
  io.out(`wrote ${file}\n`)
  io.err(`\n${nextSteps(next(service))}`)
}

function nextSteps(commands: readonly string[]): string {
  return `Next, as root:\n${commands.map((line) => `  ${line}\n`).join('')}`
}

function serviceOf(flags: Flags, io: Io): Service {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/i.test(flags.user)) throw new UsageError(`--user '${flags.user}' is not the name of a user`)
  const config = readConfig(flags, io)
  const file = flags.config ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined)
  const folder = file === undefined ? process.cwd() : dirname(resolve(file))
  const program = [process.execPath, join(packageRoot(), 'bin/caracal.js'), 'up', '--no-demo']
  const options = [...(file === undefined ? [] : ['--config', resolve(file)]), '--data-dir', config.data_dir]
  return {
    command: [...program, ...options],
    folder,
    dataDir: config.data_dir,
    user: flags.user,
    writes: writesOf(config),
    backups: backupsOf(flags),
    log: flags.log === undefined ? undefined : resolve(flags.log),
    hasLowPort: lowPorts(config),
    asksMachine: config.sources.some(({ type }) => ASKING.has(type)),
  }
}

/** Folders that a systemd service gets to itself, so that nobody else sees what it writes there. */
const PRIVATE = ['/tmp', '/var/tmp']

function backupsOf({ backups, manager }: Flags): string[] {
  const paths = [...new Set(backups.map((path) => resolve(path)))]
  const isHidden = (path: string) => PRIVATE.some((top) => path === top || path.startsWith(`${top}/`))
  const hidden = manager === 'systemd' ? paths.find(isHidden) : undefined
  if (hidden !== undefined)
    throw new UsageError(
      `--backups '${hidden}' is below /tmp or /var/tmp, of which the service has its own that nobody else sees: choose another folder`,
    )
  return paths
}

function writesOf({ destinations }: Config): string[] {
  return [...new Set(destinations.flatMap((one) => (one.type === 'file' ? dirname(resolve(one.path)) : [])))]
}

/** Sources that look at other processes, or run programs that may. */
const ASKING = new Set<string>(['host', 'exec'])

function lowPorts({ listen, sources }: Config): boolean {
  const all = [listen, ...sources.map((source) => (source as { listen?: string }).listen ?? '')]
  return all.some((address) => {
    const port = Number(/:(\d+)$/.exec(address)?.[1] ?? 0)
    return port > 0 && port < 1024
  })
}
