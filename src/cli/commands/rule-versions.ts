import { type Command, InvalidArgumentError } from 'commander'
import type { z } from 'zod'
import type { changeSchema } from '../../api/routes/content.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { type RuleDetail, ruleLines, type ShownVersion, type Version, versionDiff, versionText } from '../rule-text.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { changeText } from './reload.ts'

const HELP = `
VERSION is a number from the list of versions below the facts. Those are the versions of the rule's files; what overrides.yml sets is in
\`caracal content history\`.

Examples:
  caracal rules show Tor.SSH.Login
  caracal rules show My.Rule --diff                what its last change was
  caracal rules show My.Rule --version 12          its files as they were
  caracal rules restore My.Rule 12`

const RESTORE_HELP = `
The unit tests of the version run first, and must pass. Refused if the rule comes from git. A rule of a shipped pack is restored as a copy in
your content folder.`

interface ShowFlags extends ServerFlags {
  readonly version?: number
  readonly diff?: boolean
}

/** `rules show` and `rules restore`. */
export function registerRuleVersions(rules: Command, io: Io): void {
  withServer(
    rules
      .command('show <rule>')
      .description('Show a rule: its state, file, counts and cost, who changed it, and what it was before.'),
  )
    .option('--version <version>', 'print its files as they were in this version', versionOf)
    .option('--diff', 'print what a version changed, by default the last one')
    .addHelpText('after', HELP)
    .action((id: string, flags: ShowFlags) => show(id, flags, io))
  withServer(rules.command('restore <rule> <version>').description('Save a rule as it was in a version, and put it in force.'))
    .option('--allow-failing', 'even if unit tests fail')
    .addHelpText('after', RESTORE_HELP)
    .action((id: string, version: string, flags: ServerFlags & { readonly allowFailing?: boolean }) =>
      restore(id, versionOf(version), flags, io),
    )
}

function versionOf(text: string): number {
  const number = Number(text)
  if (!/^\d{1,15}$/.test(text) || number === 0) throw new InvalidArgumentError(`'${text}' is not the number of a version.`)
  return number
}

async function show(id: string, { version, diff, ...flags }: ShowFlags, io: Io): Promise<void> {
  const client = clientOf(flags, io)
  const path = pathOf(id)
  if (version === undefined && !diff) {
    const rule = await client.json<RuleDetail>(path)
    const versions = await client.all<Version>(`${path}/versions`)
    return io.write(flags.json ? `${JSON.stringify({ ...rule, versions })}\n` : `${ruleLines(rule, versions, io).join('\n')}\n`)
  }
  const shown = await client.json<ShownVersion>(`${path}/versions/${version ?? (await lastOf(id, flags, io))}`)
  if (flags.json) return io.write(`${JSON.stringify(shown)}\n`)
  await io.write(diff ? versionDiff(shown) : versionText(shown))
}

async function lastOf(id: string, flags: ServerFlags, io: Io): Promise<number> {
  const { results } = await clientOf(flags, io).json<{ results: Version[] }>(`${pathOf(id)}/versions?limit=1`)
  if (!results[0]) throw new UsageError(`no version of the rule '${id}' is stored, so there is nothing to compare`)
  return results[0].number
}

type Restored = z.output<typeof changeSchema> & { readonly files: readonly string[]; readonly notes: readonly string[] }

async function restore(
  id: string,
  version: number,
  flags: ServerFlags & { readonly allowFailing?: boolean },
  io: Io,
): Promise<void> {
  const client = clientOf(flags, io)
  const { source } = await client.json<RuleDetail>(pathOf(id))
  const body = { revision: source.revision, allow_failing: flags.allowFailing ?? false }
  const restored = await client.json<Restored>(`${pathOf(id)}/versions/${version}/restore`, { method: 'POST', body })
  if (flags.json) return io.out(`${JSON.stringify(restored)}\n`)
  io.out(`Restored ${id} as it was in ${version}: ${restored.files.join(', ')}. ${changeText(restored)}\n`)
  for (const note of restored.notes) io.err(`${note}\n`)
}

function pathOf(id: string): string {
  return `/api/v1/rules/${encodeURIComponent(id)}`
}
