import { join } from 'node:path'
import type { Command } from 'commander'
import type { z } from 'zod'
import type { packSchema } from '../../api/routes/packs.ts'
import { cacheFolder } from '../../config/env.ts'
import type { Content } from '../../packs/content.ts'
import type { PackChoice, PackState } from '../../packs/packs.ts'
import { printable } from '../../util/terminal.ts'
import { CallFailed } from '../client.ts'
import { columns } from '../columns.ts'
import { type ConfigOptions, configOption, contentOption, dataDirOption, listenOption, readConfig } from '../config.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf } from '../server-options.ts'
import { count } from '../style.ts'

type Pack = z.output<typeof packSchema>

interface Flags extends ConfigOptions {
  readonly json?: boolean
}

const HELP = `
A detection runs unless it is disabled itself or all packs that contain it are disabled. ENABLED counts what the files say. The tables
of a disabled pack are not used. A pack that is 'optional' is disabled until you enable it.
A running server applies the change at once, and writes it to its configuration file. If none runs, the file is changed for its next start.
Exit code: 0 done; 2 usage or configuration, including an unknown pack.

Examples:
  caracal packs
  caracal packs disable Caracal.Tor
  caracal packs enable Caracal.Tor`

export function registerPacks(program: Command, io: Io): void {
  const packs = program
    .command('packs')
    .summary('content packs, and which are disabled')
    .description('Lists packs; `packs disable` and `packs enable` change the configuration.')
  withFlags(packs.command('list', { isDefault: true }).description('List packs; with --json one per line.'))
    .addHelpText('after', HELP)
    .action((flags: Flags) => listPacks(flags, io))
  withFlags(
    packs.command('enable <id>').description('Enable a pack, in `enabled_packs` or `disabled_packs` of the configuration.'),
  ).action((id: string, flags: Flags) => switchPack(id, true, flags, io))
  withFlags(
    packs.command('disable <id>').description('Disable a pack, in `disabled_packs` or `enabled_packs` of the configuration.'),
  ).action((id: string, flags: Flags) => switchPack(id, false, flags, io))
}

function withFlags(command: Command): Command {
  return command
    .option('--json', 'one JSON object per pack')
    .addOption(contentOption())
    .addOption(configOption())
    .addOption(dataDirOption())
    .addOption(listenOption())
}

async function listPacks(flags: Flags, io: Io): Promise<void> {
  const { packStates, packsOff, unknownPacks } = await import('../../packs/packs.ts')
  const { content, choice } = await load(flags, io)
  const states = packStates(content, packsOff(content.packs, choice))
  if (flags.json) io.out(states.map((state) => `${packJson(state)}\n`).join(''))
  else io.out(states.length > 0 ? `${list(states, io).join('\n')}\n` : 'No packs.\n')
  for (const message of unknownPacks(content.packs, choice)) io.err(`${printable(message)}\n`)
}

async function switchPack(id: string, isOn: boolean, flags: Flags, io: Io): Promise<void> {
  const running = await switchRunning(id, isOn, flags, io)
  if (!running) return switchInFile(id, isOn, flags, io)
  const { state, isChange } = running
  if (flags.json) return io.out(`${packJson(state)}\n`)
  const what = `Pack '${id}' ${isChange ? 'is now' : 'was'} ${isOn ? 'on' : 'off'}${isChange ? '' : ' already'}.`
  io.out(`${printable(`${what}${runningText(state)}`)}\n`)
}

/** Switches the pack in the running server; `undefined`: none runs, or it does not know the pack. */
async function switchRunning(id: string, isOn: boolean, flags: Flags, io: Io) {
  try {
    const client = clientOf(flags, io)
    const known = await client.all<Pack>('/api/v1/packs?limit=500')
    if (!known.some((pack) => pack.id === id)) return undefined
    const path = `/api/v1/packs/${encodeURIComponent(id)}`
    const { pack, change } = await client.json<{ pack: Pack; change: object | null }>(path, {
      method: 'PATCH',
      body: { on: isOn },
    })
    return { state: stateOf(pack), isChange: change !== null }
  } catch (error) {
    if (error instanceof CallFailed && error.isNotRunning) return undefined
    throw error
  }
}

function stateOf({ id, name, on, optional, detections, running, tables, missing }: Pack): PackState {
  const enabled = detections.filter((one) => one.enabled).length
  return {
    id,
    displayName: name ?? undefined,
    isOn: on,
    isOptional: optional,
    detections: detections.length,
    enabled,
    running,
    tables: tables.length,
    missing,
  }
}

/** Changes the configuration file only. */
async function switchInFile(id: string, isOn: boolean, flags: Flags, io: Io): Promise<void> {
  const { noSuchPack, packStates, packsOff } = await import('../../packs/packs.ts')
  const { setPack } = await import('../../config/edit.ts')
  const { DEFAULT_FILE } = await import('../../config/load.ts')
  const { content, choice } = await load(flags, io)
  const known = content.packs.map((pack) => pack.id)
  // The id of a pack that no longer exists can still be removed.
  if (!known.includes(id) && !(isOn && choice.disabled_packs.includes(id))) throw new UsageError(noSuchPack(id, known))
  const file = flags.config ?? DEFAULT_FILE
  const off = packsOff(content.packs, choice)
  const isChange = off.includes(id) === isOn
  const isOptional = content.packs.some((pack) => pack.id === id && pack.isOptional)
  if (choice.disabled_packs.includes(id) === isOn && (isOn || !isOptional)) setPack(file, 'disabled_packs', id, !isOn)
  if (isOptional && choice.enabled_packs.includes(id) !== isOn) setPack(file, 'enabled_packs', id, isOn)
  const now = isOn ? off.filter((one) => one !== id) : [...new Set([...off, id])]
  const state = packStates(content, now).find((pack) => pack.id === id)
  if (flags.json) return io.out(`${state ? packJson(state) : JSON.stringify({ id, on: isOn })}\n`)
  const runs = state ? runningText(state) : ''
  const what = `Pack '${id}' ${isChange ? 'is now' : 'was'} ${isOn ? 'on' : 'off'}${isChange ? `, in ${file}` : ' already'}.`
  io.out(`${printable(`${what}${runs}`)}\n`)
}

function runningText({ running, detections, tables, isOn }: PackState): string {
  const own = tables > 0 ? ` Its ${tables === 1 ? 'table is' : `${count(tables)} tables are`} ${isOn ? 'used' : 'not used'}.` : ''
  return detections > 0 ? ` ${count(running)} of its ${count(detections)} detections run.${own}` : own
}

async function load(flags: Flags, io: Io): Promise<{ readonly content: Content; readonly choice: Required<PackChoice> }> {
  const { contentRoots, loadContent } = await import('../../packs/load.ts')
  const config = readConfig(flags, io)
  const cache = join(cacheFolder(io.env), 'content')
  const { contentFolders } = await import('../../config/content.ts')
  const { withOverrides } = await import('../../packs/overrides.ts')
  const content = withOverrides(await loadContent(contentRoots(contentFolders(config)), { tests: false, cache }))
  return { content, choice: config }
}

function packJson({ id, displayName, isOn, isOptional, detections, enabled, running, tables, missing }: PackState): string {
  const name = displayName ?? null
  return JSON.stringify({ id, name, on: isOn, optional: isOptional, detections, enabled, running, tables, missing })
}

function list(states: readonly PackState[], io: Io): string[] {
  const rows = states.map(({ id, displayName, isOn, isOptional, detections, enabled, running, tables, missing }) => [
    { text: id },
    { text: displayName ?? '-' },
    { text: isOn ? 'on' : isOptional ? 'off (optional)' : 'off' },
    { text: count(detections), isNumber: true },
    { text: count(enabled), isNumber: true },
    { text: count(running), isNumber: true },
    { text: count(tables), isNumber: true },
    { text: count(missing.length), isNumber: true },
  ])
  const width = io.isTty ? io.columns : Number.POSITIVE_INFINITY
  const gone = states.flatMap(({ id, missing }) =>
    missing.length === 0 ? [] : [printable(`${id}: no usable item has these of its ids: ${missing.join(', ')}`)],
  )
  return [
    ...columns(['PACK', 'NAME', 'STATE', 'DETECTIONS', 'ENABLED', 'RUNNING', 'TABLES', 'MISSING'], rows, width),
    ...(gone.length > 0 ? ['', ...gone] : []),
  ]
}
