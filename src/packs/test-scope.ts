import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Rule } from '../model/rule.ts'
import type { CorrelationRule } from '../stages/detect/correlation/rule.ts'
import { type Content, type Problem, testedRules } from './content.ts'
import { asksForUntested, parseFilters } from './filter.ts'
import { sharedFolders } from './layout.ts'
import { contentRoots, loadContent } from './load.ts'
import type { ContentRoot } from './scan.ts'
import { isUnder, rootOf } from './under.ts'

/** The items to test, and everything they need. */
export interface TestScope {
  /** All content of the roots concerned: rules find their helpers and data models in it. */
  readonly content: Content
  /** The same with only the requested items, and helpers. */
  readonly selected: Content
  readonly rules: readonly Rule[]
  readonly correlationRules: readonly CorrelationRule[]
  readonly problems: readonly Problem[]
  /** Schemas that cannot be used. Tests name their log type and need no schema: Panther's tool does not check them either. */
  readonly schemaProblems: readonly Problem[]
  /** The requested items, such as queries, have no tests: having nothing to test is not a mistake. */
  readonly isUntested: boolean
  /** The folders that were searched, for messages. */
  readonly where: string
  /** True if nothing was requested and the working folder has no content. */
  readonly isElsewhere: boolean
}

export interface ScopeOptions {
  /** Absolute path of a folder or file, or `undefined` for the working folder and the other named folders. */
  readonly path: string | undefined
  /** Content folders in addition to the default ones. */
  readonly folders: readonly string[]
  readonly filters: readonly string[]
  /** Names of YAML files that are not content. */
  readonly ignore: readonly string[]
  readonly cache: string | undefined
  /** Unknown keys of rules and policies are notices. Default false. */
  readonly ignoreExtraKeys?: boolean
  /** Default: the process's. */
  readonly workingFolder?: string
  /** Folders that are not content wherever they are. Default: none. */
  readonly without?: readonly string[]
}

/**
 * Loads content and selects the requested items. Without a path, that is the content of the working folder and of every named folder; if
 * none is named and the working folder has content, only that, as in Panther's tool; if there is none at all, the shipped packs. Throws
 * `ConfigError` for an invalid filter.
 */
export async function selectTests(options: ScopeOptions): Promise<TestScope> {
  const { filters, ignore, cache, ignoreExtraKeys = false } = options
  const isWanted = parseFilters(filters)
  const { roots, shared, isDefault } = rootsFor(options)
  const content = await loadContent(roots, { cache, ignore, ignoreExtraKeys })
  const here = options.workingFolder ?? process.cwd()
  const isHere = isDefault && filesOf(content).some((file) => isUnder(here, file))
  const path = options.path ?? (isHere ? here : undefined)
  const isInside = (file: string) => path === undefined || [path, ...shared].some((folder) => isUnder(folder, file))
  const selected = narrowed(content, isInside, isWanted)
  const isNoted = (notice: string) => path === undefined || [path, ...shared].some((folder) => notice.includes(folder))
  const reported = content.problems.filter(({ file }) => isInside(file) || (path !== undefined && isUnder(file, path)))
  const notices = content.notices.filter(isNoted)
  return {
    content,
    selected: { ...selected, notices },
    rules: testedRules(selected),
    correlationRules: selected.correlationRules.map(({ rule }) => rule),
    problems: reported.filter(({ isSchema }) => !isSchema),
    schemaProblems: reported.filter(({ isSchema }) => isSchema),
    isUntested: asksForUntested(filters) || (filters.length === 0 && holdsOthers(content, path)),
    where: path ?? roots.map(({ folder }) => folder).join(', '),
    isElsewhere: isDefault && !isHere,
  }
}

interface Roots {
  readonly roots: readonly ContentRoot[]
  /** Folders that always count as requested. */
  readonly shared: readonly string[]
  /** Nothing was requested. */
  readonly isDefault: boolean
}

function rootsFor({ path, folders, workingFolder: here = process.cwd(), without = [] }: ScopeOptions): Roots {
  const named = contentRoots(folders, here)
  if (path !== undefined) {
    const folder = statSync(path).isDirectory() ? path : dirname(path)
    const root = rootOf(folder, named)
    // The shipped packs do not need helpers from elsewhere.
    const others = root === contentRoots([], here)[0] ? [] : sharedFolders(folder, here)
    const own = ['global_helpers', 'data_models'].map((name) => join(root, name))
    return {
      roots: [rootWith(root, others, without, { first: path, byLayout: root === here || root !== path })],
      shared: [...new Set([...own, ...others])],
      isDefault: false,
    }
  }
  const isDefault = folders.length === 0 && !existsSync(join(here, 'content'))
  const roots = named.map((folder): ContentRoot => ({ folder, without }))
  if (named.some((root) => isUnder(root, here))) return { roots, shared: [], isDefault }
  const shared = sharedFolders(here, here)
  const own = rootWith(here, shared, [...named, ...without], { byLayout: true, hasOverrides: false })
  return { roots: [roots[0]!, own, ...roots.slice(1)], shared, isDefault }
}

function rootWith(
  folder: string,
  shared: readonly string[],
  without: readonly string[],
  more: Pick<ContentRoot, 'first' | 'byLayout' | 'hasOverrides'>,
): ContentRoot {
  return { folder, also: shared.filter((one) => !isUnder(folder, one)), without, ...more }
}

/** True if the requested folder has items that have no tests in Panther's tool. */
function holdsOthers(
  { scheduledQueries, savedQueries, dashboards, tables, dataModels, packs, helpers }: Content,
  path: string | undefined,
): boolean {
  const others = [...scheduledQueries, ...savedQueries, ...dashboards, ...tables, ...dataModels, ...packs, ...helpers]
  return path !== undefined && others.some(({ file }) => isUnder(path, file))
}

/** The files of everything that was found, usable or not. */
function filesOf(content: Content): string[] {
  const { notices: _, ...kinds } = content
  const items: readonly { readonly file: string }[] = Object.values(kinds).flat()
  return items.map(({ file }) => file)
}

type Wanted = ReturnType<typeof parseFilters>

function narrowed(content: Content, isInside: (file: string) => boolean, isWanted: Wanted): Content {
  const inside = <T extends { readonly file: string }>(items: readonly T[]) => items.filter(({ file }) => isInside(file))
  return {
    ...content,
    rules: inside(content.rules).filter(isWanted),
    scheduledRules: inside(content.scheduledRules).filter(isWanted),
    policies: inside(content.policies).filter(isWanted),
    correlationRules: inside(content.correlationRules).filter(isWanted),
    dataModels: inside(content.dataModels),
    scheduledQueries: inside(content.scheduledQueries),
    savedQueries: inside(content.savedQueries),
    dashboards: inside(content.dashboards),
    schemas: inside(content.schemas),
    tables: inside(content.tables),
    overrides: inside(content.overrides),
  }
}
