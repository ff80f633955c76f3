import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isUnder } from './under.ts'

/** If these occur anywhere in a folder's path, the folder is part of a repository in Panther's layout. */
const PARTS = ['rules', 'policies', 'queries', 'data_models', 'lookup_tables', 'scheduled_prompts']
/** As a folder's name. */
const NAMES = ['global_helpers', 'packs']
/** The same for kinds of file that Panther's tool does not read. */
const OWN = /\/(?:schemas|tables|dashboards)(?:\/|$)/
/** Folders whose contents are available to every item, wherever it is. */
const SHARED = ['global_helpers', 'data_models']

/** True if Panther's tool reads this folder, a path from the repository's root, when run on the root. */
export function isListed(path: string): boolean {
  const inside = `/${path}`
  return PARTS.some((part) => inside.includes(part)) || NAMES.some((name) => inside.endsWith(`/${name}`))
}

/** True if a root whose content is in the listed folders has content in this one. Below `global_helpers` all of it counts. */
export function isRead(path: string): boolean {
  return isListed(path) || OWN.test(`/${path}`) || isUnder('/global_helpers', `/${path}`)
}

/**
 * The folders of helpers and data models that count whichever part of a repository is requested: those of the folder itself, of the working
 * folder, and of the folders around these two. Absolute; only existing ones.
 */
export function sharedFolders(folder: string, workingFolder: string): string[] {
  const around = [folder, workingFolder].flatMap((one) => [resolve(one), dirname(resolve(one))])
  const all = around.flatMap((one) => SHARED.map((name) => join(one, name)))
  return [...new Set(all)].filter((one) => existsSync(one))
}
