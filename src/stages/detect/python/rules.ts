import { dirname } from 'node:path'
import type { DataModel } from '../../../model/data-model.ts'
import type { DetectionContent, HelperModule, Rule } from '../../../model/rule.ts'
import { queryLogType } from '../language.ts'
import type { LoadContent, ModelContent, Source } from './sandbox/protocol.ts'

type LoadHow = Pick<LoadContent, 'careful' | 'watch'>

/** The Python rules of a content, in the form that the Python engine loads. */
export interface RuleSet {
  readonly rules: readonly Rule[]
  /** Log type → its rules, in the order of their numbers in findings. */
  readonly byLogType: ReadonlyMap<string, readonly Rule[]>
  /** Id and file of each item that the engine loads, in the order of its numbers: rules, then data models. */
  readonly items: readonly { readonly id: string; readonly file: string }[]
  /** Number of helpers. */
  readonly helpers: number
  /** The content for the engine, without the items of these numbers; these helpers, by index, cannot be imported for the reason given. */
  load(skip: readonly number[], broken: ReadonlyMap<number, string>, how: LoadHow): Omit<LoadContent, 'compiled'>
}

export function createRuleSet(content: DetectionContent, all: boolean, traces = false): RuleSet {
  const rules = content.rules.filter((rule) => rule.source.language === 'python' && (all || rule.enabled))
  const byLogType = new Map<string, Rule[]>()
  for (const rule of rules) {
    for (const logType of judgedTypes(rule)) {
      const list = byLogType.get(logType)
      if (list) list.push(rule)
      else byLogType.set(logType, [rule])
    }
  }
  const sources: Source[] = []
  const add = ({ file, code }: { readonly file: string; readonly code: string }) => sources.push([file, code]) - 1
  const roots = [...new Set(content.helpers.map((helper) => helper.root))].filter(Boolean).sort((a, b) => b.length - a.length)
  const specs = rules.map((rule) => ({
    id: rule.id,
    kind: rule.kind ?? 'rule',
    file: rule.source.file,
    source: add(rule.source),
    root: roots.find((root) => rule.source.file.startsWith(root.endsWith('/') ? root : `${root}/`)) ?? '',
    folder: dirname(rule.source.file),
  }))
  const helpers = content.helpers.map((helper) => toHelper(helper, add(helper)))
  const dataModels = rules.length > 0 ? (content.dataModels ?? []).map((model) => toModel(model, add)) : []
  const logTypes = Object.fromEntries([...byLogType].map(([logType, list]) => [logType, list.map((rule) => rule.id)]))
  const items = [...specs, ...dataModels].map(({ id, file }) => ({ id, file }))
  return {
    rules,
    byLogType,
    items,
    helpers: helpers.length,
    load: (skip, broken, how) => ({
      sources,
      rules: specs,
      helpers: helpers.map((helper, i) => ({ ...helper, broken: broken.get(i) ?? null })),
      dataModels,
      logTypes,
      skip,
      traces,
      ...how,
    }),
  }
}

/** The subjects of a rule: events of its log types, rows of its queries, resources of its types. */
function judgedTypes(rule: Rule): ReadonlySet<string> {
  return new Set([...rule.logTypes, ...(rule.scheduledQueries ?? []).map(queryLogType), ...(rule.policy?.resourceTypes ?? [])])
}

function toHelper({ name, file, root, folder }: HelperModule, source: number): LoadContent['helpers'][number] {
  return { name, file, source, root, folder: folder ?? null, broken: null }
}

function toModel(
  { id, file, root, source, logTypes, mappings }: DataModel,
  add: (source: { readonly file: string; readonly code: string }) => number,
): ModelContent {
  return {
    id,
    file,
    root,
    folder: dirname(source?.file ?? file),
    source: source ? add(source) : null,
    logTypes,
    paths: mappings.flatMap((mapping) => ('path' in mapping ? [[mapping.name, mapping.path] as const] : [])),
    methods: mappings.flatMap((mapping) => ('method' in mapping ? [[mapping.name, mapping.method] as const] : [])),
  }
}
