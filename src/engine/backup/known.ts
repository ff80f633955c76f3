import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** In the data folder: which backups were made of it. Not part of a backup. */
const FILE = 'backups.json'
const MAX_KNOWN = 50

const listSchema = z.array(z.object({ folder: z.string(), created: z.string() }))

/** A backup that was made of a data folder; whether it still exists is not known. */
export interface KnownBackup {
  readonly folder: string
  /** RFC 3339. */
  readonly created: string
}

/** The backups that were made of a data folder, oldest first. None if the list is missing or damaged. */
export function knownBackups(dataDir: string): readonly KnownBackup[] {
  try {
    return listSchema.parse(JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')))
  } catch {
    return []
  }
}

/** Adds a backup to the list. */
export function rememberBackup(dataDir: string, { folder, created }: KnownBackup): void {
  const others = knownBackups(dataDir).filter((one) => one.folder !== folder)
  const list = [...others, { folder, created }].slice(-MAX_KNOWN)
  const draft = join(dataDir, `${FILE}.tmp`)
  writeFileSync(draft, `${JSON.stringify(list)}\n`)
  chmodSync(draft, 0o600)
  renameSync(draft, join(dataDir, FILE))
}
