import { relative } from 'node:path'
import type { Rule } from '../model/rule.ts'
import type { Content } from '../packs/content.ts'
import { toRule } from '../stages/detect/correlation/finding.ts'
import { exactText } from '../util/exact-text.ts'
import { hash16 } from '../util/hash.ts'
import type { ContentSource } from './generation.ts'

/** A hash for each part of the content, by kind and name: if two hashes differ, the part has changed. */
export type ContentParts = ReadonlyMap<string, string>

/** A hash of a rule's metadata and code; the location of its files and its tests do not count. */
export function versionOf(rule: Rule): string {
  const { file, tests, source, version, ...item } = rule
  return hash16(exactText(item), source.language, source.code, version ?? '')
}

/** All parts of the content, and what sources say about it. */
export function contentParts(content: Content, sources: readonly ContentSource[]): ContentParts {
  const { rules, scheduledRules, policies } = content
  const parts = new Map<string, string>()
  const add = (kind: Kind, name: string, ...of: readonly unknown[]) => parts.set(`${kind}\0${name}`, hash16(exactText(of)))
  for (const { name, document } of content.schemas) add('schema', name, document)
  for (const { name, document } of content.tables) add('table', name, document)
  for (const rule of [...rules, ...scheduledRules, ...policies]) add('rule', rule.id, versionOf(rule))
  for (const { rule } of content.correlationRules) add('correlation rule', rule.id, rule.enabled, versionOf(toRule(rule)))
  const roots = [...new Set(content.helpers.map(({ root }) => root))]
  for (const { root, name, file, code } of content.helpers)
    add('helper', root === '' ? name : `${roots.indexOf(root)}/${relative(root, file)}`, code)
  for (const { id, logTypes, mappings, source } of content.dataModels) add('data model', id, logTypes, mappings, source?.code)
  for (const { file, ...query } of content.scheduledQueries) add('query', query.name, query)
  for (const { file, ...query } of content.savedQueries) add('saved query', query.name, query)
  for (const { file, ...dashboard } of content.dashboards) add('dashboard', dashboard.name, dashboard)
  for (const { id, label, log_types, tables = {}, filters = [], sampling } of sources)
    add('source', id, label, log_types, tables, ...(filters.length > 0 || sampling ? [filters, sampling ?? null] : []))
  return parts
}

/** Names of the kinds of part, as `summaryOf` uses them. */
type Kind =
  | 'schema'
  | 'table'
  | 'rule'
  | 'correlation rule'
  | 'helper'
  | 'data model'
  | 'query'
  | 'saved query'
  | 'dashboard'
  | 'source'

/** A part that differs between two contents. */
export interface ChangedPart {
  readonly kind: string
  readonly name: string
  readonly change: 'added' | 'changed' | 'removed'
}

export function changedParts(before: ContentParts, after: ContentParts): ChangedPart[] {
  const changed: ChangedPart[] = []
  const add = (key: string, change: ChangedPart['change']) => {
    const at = key.indexOf('\0')
    changed.push({ kind: key.slice(0, at), name: key.slice(at + 1), change })
  }
  for (const [key, hash] of after) {
    const was = before.get(key)
    if (was !== hash) add(key, was === undefined ? 'added' : 'changed')
  }
  for (const key of before.keys()) if (!after.has(key)) add(key, 'removed')
  return changed
}

/** A short summary of the changes: `2 rules changed, 1 schema added`. */
export function summaryOf(changes: readonly ChangedPart[]): string {
  if (changes.length === 0) return 'no running content changed'
  const counts = new Map<string, number>()
  for (const { kind, change } of changes) counts.set(`${kind}\0${change}`, (counts.get(`${kind}\0${change}`) ?? 0) + 1)
  return [...counts]
    .map(([key, n]) => {
      const [kind = '', change = ''] = key.split('\0')
      return `${n} ${n === 1 ? kind : pluralOf(kind)} ${change}`
    })
    .join(', ')
}

function pluralOf(kind: string): string {
  return kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`
}

/** A hash of all content and of what sources say about it. */
export function hashOf(parts: ContentParts): string {
  return hash16(...[...parts].sort(([a], [b]) => (a < b ? -1 : 1)).flat())
}
