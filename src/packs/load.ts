import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { DataModel } from '../model/data-model.ts'
import { isExtension } from '../stages/enrich/definition.ts'
import { packageRoot } from '../util/entry.ts'
import type { Content } from './content.ts'
import { deriveRules } from './derive.ts'
import { idleNotices } from './idle.ts'
import { loadRoot } from './root.ts'
import type { ContentRoot } from './scan.ts'

export interface LoadOptions {
  /**
   * False: rules are loaded without their unit tests, which is enough for the running engine and several times faster (most of the text of
   * a content repository is test events). Default true.
   */
  readonly tests?: boolean
  /** Folder for the cache of read YAML, so that the next run reads only what has changed. Default: no cache. */
  readonly cache?: string | undefined
  /** Names of YAML files that are not content. */
  readonly ignore?: readonly string[]
  /** Unknown keys of rules and policies are notices, not problems. Default false. */
  readonly ignoreExtraKeys?: boolean
  /** Texts that are read in place of files, by absolute path; null: as if the file did not exist. Default: none. */
  readonly edits?: ReadonlyMap<string, string | null>
}

/**
 * The content roots in order: the shipped packs, `content` in the working folder if it exists, then each requested folder. A folder named
 * twice counts at its last position.
 */
export function contentRoots(folders: readonly string[], workingFolder: string = process.cwd()): string[] {
  const own = join(workingFolder, 'content')
  const roots = [
    join(packageRoot(), 'packs'),
    ...(existsSync(own) ? [own] : []),
    ...folders.map((folder) => resolve(workingFolder, folder)),
  ]
  return roots.filter((root, at) => roots.lastIndexOf(root) === at)
}

/** The content of the shipped packs. */
export function loadShipped(): Promise<Content> {
  return loadContent([join(packageRoot(), 'packs')], { tests: false })
}

/**
 * Reads all content under the roots, earliest first (see `contentRoots`). An id of a later root hides the same id of the same kind in an
 * earlier one, which is listed in `notices`; helper modules belong to their root and hide nothing. Never throws because of the content: a
 * file that cannot be used is one problem, and the rest is loaded.
 */
export async function loadContent(roots: readonly (string | ContentRoot)[], options: LoadOptions = {}): Promise<Content> {
  const { tests = true, cache, ignore = [], ignoreExtraKeys = false, edits = new Map<string, string | null>() } = options
  const rootOptions = { tests, cache, ignore: new Set(ignore), ignoreExtraKeys, edits }
  const loaded = []
  for (const root of [...roots].reverse()) {
    loaded.push(await loadRoot(typeof root === 'string' ? { folder: resolve(root) } : root, rootOptions))
  }
  const force = new InForce()
  const rules = loaded.flatMap((root) => root.rules.filter((rule) => force.takes('rule', rule.id, rule.file)))
  const drafts = loaded.flatMap((root) => root.derived.filter((rule) => force.takes('rule', rule.id, rule.file)))
  const derived = deriveRules(drafts, rules)
  const all = [...rules, ...derived.rules]
  const content: Content = {
    rules: all.filter(({ kind }) => kind === 'rule'),
    scheduledRules: all.filter(({ kind }) => kind === 'scheduled_rule'),
    policies: all.filter(({ kind }) => kind === 'policy'),
    correlationRules: loaded.flatMap((root) => root.correlationRules.filter(({ id, file }) => force.takes('rule', id, file))),
    dataModels: chosenModels(
      loaded.flatMap((root) => root.dataModels.filter(({ id, file }) => force.takes('data model', id, file))),
      force,
    ),
    scheduledQueries: loaded.flatMap((root) =>
      root.scheduledQueries.filter((query) => force.takes('query', query.name, query.file)),
    ),
    savedQueries: loaded.flatMap((root) => root.savedQueries.filter((query) => force.takes('query', query.name, query.file))),
    dashboards: loaded.flatMap((root) => root.dashboards.filter(({ name, file }) => force.takes('dashboard', name, file))),
    schemas: loaded.flatMap((root) => root.schemas.filter(({ name, file }) => force.takes('schema', name, file))),
    // An extension may have the name of the table that it extends, and does not hide it.
    tables: loaded.flatMap((root) =>
      root.tables.filter(({ name, file, document }) =>
        force.takes(isExtension(document) ? 'table extension' : 'table', name, file),
      ),
    ),
    tablesOff: [],
    packs: loaded.flatMap((root) => root.packs.filter(({ id, file }) => force.takes('pack', id, file))),
    overrides: loaded.flatMap((root) => root.overrides),
    helpers: loaded.flatMap((root) => root.helpers),
    problems: [...loaded.flatMap((root) => root.problems), ...derived.problems],
    notices: [],
  }
  const notices = [...loaded.flatMap((root) => root.notices), ...force.notices, ...derived.notices, ...idleNotices(content)]
  return { ...content, notices }
}

/** Which of two items with the same name counts: the first argument's, from the later root. */
class InForce {
  readonly notices: string[] = []
  readonly #files = new Map<string, string>()

  /** True if no later root has the id. */
  takes(kind: string, id: string, file: string): boolean {
    const hider = this.#files.get(`${kind} ${id}`)
    if (hider === undefined) this.#files.set(`${kind} ${id}`, file)
    else this.notices.push(`${kind} '${id}' in ${file} is overridden by ${hider}`)
    return hider === undefined
  }
}

/** The enabled models; if models of two roots name the same log type, the one of the later root gets it. */
function chosenModels(models: readonly DataModel[], force: InForce): DataModel[] {
  return models
    .filter(({ enabled }) => enabled)
    .map((model) => ({ ...model, logTypes: model.logTypes.filter((type) => force.takes('data model for', type, model.file)) }))
    .filter(({ logTypes }) => logTypes.length > 0)
}
