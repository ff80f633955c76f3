import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Rule } from '../model/rule.ts'
import type { CorrelationRule } from '../stages/detect/correlation/rule.ts'
import { type Content, type Problem, testedRules } from './content.ts'
import { asksForUntested, parseFilters } from './filter.ts'
import { contentRoots, loadContent } from './load.ts'
import { isUnder, rootOf } from './under.ts'

/** What is to be tested, and everything it needs. */
export interface TestScope {
  /** All content of the roots concerned: rules find their helpers and data models in it. */
  readonly content: Content
  readonly rules: readonly Rule[]
  readonly correlationRules: readonly CorrelationRule[]
  readonly problems: readonly Problem[]
  /** The filters ask for items that have no tests: that there is nothing to test is no mistake. */
  readonly isUntested: boolean
  /** The folders looked at, for messages. */
  readonly where: string
}

export interface ScopeOptions {
  /** Absolute path of a folder or file, or `undefined` for all content. */
  readonly path: string | undefined
  /** Content folders beside the default ones. */
  readonly folders: readonly string[]
  readonly filters: readonly string[]
  /** Names of YAML files that are no content. */
  readonly ignore: readonly string[]
  readonly cache: string | undefined
  /** Unknown keys of rules and policies are notices. Default false. */
  readonly ignoreExtraKeys?: boolean
}

/** Loads content and selects what to test. Throws `ConfigError` for a filter that cannot be read. */
export async function selectTests(options: ScopeOptions): Promise<TestScope> {
  const { path, folders, filters, ignore, cache, ignoreExtraKeys = false } = options
  const isWanted = parseFilters(filters)
  const roots = contentRoots(folders)
  const own = path === undefined ? roots : [rootOf(statSync(path).isDirectory() ? path : dirname(path), roots)]
  const content = await loadContent(own, { cache, ignore, ignoreExtraKeys })
  const isInside = (file: string) => path === undefined || isUnder(path, file)
  return {
    content,
    rules: testedRules(content).filter((rule) => isInside(rule.file) && isWanted(rule)),
    correlationRules: content.correlationRules.filter((item) => isInside(item.file) && isWanted(item)).map(({ rule }) => rule),
    problems: content.problems.filter(({ file }) => isInside(file) || (path !== undefined && isUnder(file, path))),
    isUntested: asksForUntested(filters),
    where: path ?? roots.join(', '),
  }
}

/** True for the root of a repository in Panther's layout. */
export function isPantherFolder(folder: string): boolean {
  return ['.panther_settings.yml', 'global_helpers'].some((name) => existsSync(join(folder, name)))
}
