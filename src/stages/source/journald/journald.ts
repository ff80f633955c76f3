import { readdirSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from '../../../util/errors.ts'
import { defineSource, sourceBase } from '../source.ts'
import type { Position } from './journalctl.ts'
import { JournaldSource } from './journald-source.ts'

/** Starts with something other than a hyphen, and stays on one line: nothing can be taken for an option. */
const word = z.string().regex(/^[^-\s\p{Cc}][^\p{Cc}]{0,250}$/u, 'a name of at most 250 characters that does not begin with -')
const path = z.string().regex(/^\/[^\p{Cc}]{0,4000}$/u, 'an absolute path')

const config = z.object({
  ...sourceBase,
  units: z
    .array(word)
    .max(100)
    .default([])
    .describe('Only entries of these systemd units, as in `ssh.service`; wildcards are allowed. Default: all.'),
  identifiers: z
    .array(word)
    .max(100)
    .default([])
    .describe('Only entries with these values of `SYSLOG_IDENTIFIER`, as in `sudo`. Default: all.'),
  matches: z
    .array(z.string().regex(/^[A-Z0-9_]{1,64}=[^\p{Cc}]{0,1000}$/u, 'FIELD=value, as in _TRANSPORT=kernel'))
    .max(100)
    .default([])
    .describe(
      'Only entries with these values of fields, as in `_TRANSPORT=kernel`: any of those of the same field, and each of different fields. Default: all.',
    ),
  directory: path.optional().describe('Folder of journal files. Default: the journal of this machine.'),
  files: z
    .array(path)
    .max(100)
    .default([])
    .describe('Journal files; wildcards are allowed. Default: the journal of this machine.'),
  since: z
    .union([z.enum(['now', 'boot', 'all']), z.iso.datetime({ offset: true })], {
      error: '`now`, `boot`, `all` or a time as in 2026-01-31T08:00:00Z',
    })
    .default('now')
    .describe(
      'Where the very first start begins: `now`, `boot` (of the machine), `all`, or a time as in `2026-01-31T08:00:00Z`. Later starts go on where reading has stopped.',
    ),
})

/** Where journald keeps the journal of this machine. */
const FOLDERS = ['/var/log/journal', '/run/log/journal']

/** The systemd journal, through journalctl. */
export const journald = defineSource({
  type: 'journald',
  summary: 'Follows the systemd journal of this machine, or journal files, from where it has stopped.',
  config,
  example: { id: 'journal' },
  seekable(settings, deps) {
    const { id, directory, files } = settings
    if (directory && files.length > 0)
      throw new ConfigError(
        `source '${id}' has both \`directory\` and \`files\`: remove one, since journalctl only reads one of them`,
      )
    const isOfMachine = !directory && files.length === 0
    return new JournaldSource({
      id,
      program: ['journalctl'],
      selection: selectionOf(settings),
      start: startOf(settings.since, deps.now),
      missing: () =>
        isOfMachine && !hasJournal()
          ? `there is no journal in ${FOLDERS.join(' or ')}: is this machine run by systemd?`
          : undefined,
      deps,
    })
  },
})

/** Whether journald has written anything on this machine. */
export function hasJournal(): boolean {
  return FOLDERS.some((folder) => {
    try {
      return readdirSync(folder).length > 0
    } catch (error) {
      // A folder that cannot be looked into is there.
      return (error as NodeJS.ErrnoException).code !== 'ENOENT'
    }
  })
}

function selectionOf({ units, identifiers, matches, directory, files }: z.output<typeof config>): string[] {
  return [
    ...(directory ? [`--directory=${directory}`] : []),
    ...files.map((file) => `--file=${file}`),
    ...units.map((unit) => `--unit=${unit}`),
    ...identifiers.map((identifier) => `--identifier=${identifier}`),
    ...matches,
  ]
}

function startOf(since: string, now: () => number): Position {
  if (since === 'now') return { sinceMs: now() }
  if (since === 'boot') return { boot: true }
  return since === 'all' ? { all: true } : { sinceMs: Date.parse(since) }
}
