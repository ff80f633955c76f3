import { setTimeout } from 'node:timers/promises'
import type { Condition } from '../../../model/condition/condition.ts'
import type { DetectionContent, Rule } from '../../../model/rule.ts'
import type { DetectorOptions, Language } from '../language.ts'
import { PythonDetector } from './detector.ts'
import { CacheMirror } from './judge/cache-mirror.ts'
import { cacheUse } from './judge/cache-use.ts'
import { KnownLoads } from './judge/known-loads.ts'
import { Runtime } from './judge/runtime.ts'
import { ConditionReader, keptConditions, readRules } from './prefilter/conditions.ts'
import { pythonReads } from './reads.ts'
import { byRoot, RootsDetector } from './roots.ts'
import { createRuleSet } from './rules.ts'
import { CompiledCode } from './sandbox/compiled-code.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import { startSandbox } from './sandbox/snapshot.ts'
import { SpareSandbox } from './sandbox/spare.ts'

/** Without `apart` there is one child. */
interface Create {
  (content: DetectionContent, options: Omit<DetectorOptions, 'apart'> & { readonly apart?: never }): Promise<PythonDetector>
  (content: DetectionContent, options: DetectorOptions): Promise<PythonDetector | RootsDetector>
}

/** Rules in Python, run by CPython in WebAssembly in a separate, isolated process. */
export const python = {
  type: 'python',
  summary: 'Python rules in Panther’s format, run in a sandboxed child process.',
  extension: '.py',
  remembers: cacheUse,
  reads: pythonReads,
  necessary: necessaryOf,

  async prepare() {
    const spare = await SpareSandbox.begin()
    return { create: (content, options) => createDetector(content, options, () => spare.take()), close: () => spare.close() }
  },

  create: ((content: DetectionContent, options: DetectorOptions) => createDetector(content, options, startSandbox)) as Create,
} as const satisfies Language

async function necessaryOf(
  content: DetectionContent,
  ruleId: string,
  compiledFolder: string | undefined,
): Promise<Condition | undefined> {
  const set = createRuleSet(content, true)
  const never = new AbortController().signal
  const { byLogType } = await readRules(set, never, await keptConditions(compiledFolder, rootsOf(content)))
  return [...byLogType.values()].map((rules) => rules.get(ruleId)).find(Boolean)?.condition
}

/** Maximum time that the start waits for the prefilter, nearly always less than judging without it would cost. */
const PREFILTER_WAIT_MS = 20_000

async function createDetector(
  content: DetectionContent,
  options: DetectorOptions,
  start: () => Promise<Sandbox>,
): Promise<PythonDetector | RootsDetector> {
  const mirror = new CacheMirror((await options.cache?.load()) ?? [])
  const { apart, compiledFolder, prefilter, lazy } = options
  const set = createRuleSet(content, options.all)
  const groups = byRoot(set.rules, apart ?? [])
  const reader = prefilter && new ConditionReader(set, keptConditions(compiledFolder, rootsOf(content)), prefilter.onProblem)
  const isOne = !apart || groups.size < 2
  // Read while the children start, so that both are ready at the same time.
  if (!lazy && set.rules.length > 0) void reader?.read()
  const parts = await createParts(content, isOne ? [[undefined, set.rules]] : [...groups], { options, mirror, start, reader })
  if (!lazy) await within(PREFILTER_WAIT_MS, Promise.all(parts.map((part) => part.prefiltered)))
  if (isOne) return parts[0]!
  const usesCache = cacheUse({ ...content, rules: set.rules })
  return new RootsDetector(parts, set.rules, mirror, usesCache)
}

interface Shared {
  readonly options: DetectorOptions
  readonly mirror: CacheMirror
  readonly start: () => Promise<Sandbox>
  readonly reader: ConditionReader | undefined
}

/** A detector with a child for each group of rules, named by the content folder that they are in. */
async function createParts(
  content: DetectionContent,
  groups: readonly (readonly [root: string | undefined, rules: readonly Rule[]])[],
  shared: Shared,
): Promise<PythonDetector[]> {
  const created = await Promise.allSettled(groups.map(([root, rules]) => createPart({ ...content, rules }, root, shared)))
  const failed = created.find((result) => result.status === 'rejected')
  const parts = created.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  if (!failed) return parts
  shared.reader?.close()
  await Promise.all(parts.map((part) => part.close()))
  throw failed.reason
}

/** A detector with one child. `root`: the content folder that its rules are in, when others are in other children. */
async function createPart(
  content: DetectionContent,
  root: string | undefined,
  { options, mirror, start, reader }: Shared,
): Promise<PythonDetector> {
  const { timeoutMs, all, compiledFolder, prefilter, onOff, later, lazy, traces } = options
  const set = createRuleSet(content, all, traces)
  const roots = [...rootsOf(content), ...(root === undefined ? [] : [`apart ${root}`])]
  const runtime = new Runtime(set, timeoutMs, CompiledCode.open(compiledFolder, roots), mirror, start)
  try {
    // Without rules nothing needs to start.
    if (set.rules.length > 0 && !lazy) await runtime.ready()
  } catch (error) {
    await runtime.close()
    throw error
  }
  const knownLoads = lazy ? new KnownLoads(set, compiledFolder, roots) : undefined
  const detector = new PythonDetector(set, runtime, { onOff, later: all ? never : later, knownLoads })
  if (prefilter && reader && set.rules.length > 0) detector.usePrefilter(reader, prefilter)
  return detector
}

/** Resolves with the promise, or after the time limit. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  await Promise.race([promise, setTimeout(ms, undefined, { signal: over.signal, ref: false }).catch(() => {})])
  over.abort()
}

/** Unit tests report load errors immediately. */
const never = () => () => {}

/** The content roots that rules import from; the same for a subset of the rules as for all. */
function rootsOf({ helpers, dataModels = [] }: DetectionContent): string[] {
  return [...new Set([...helpers, ...dataModels].map(({ root }) => root))].sort()
}
