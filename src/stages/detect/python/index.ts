import { setImmediate } from 'node:timers/promises'
import type { DetectionContent } from '../../../model/rule.ts'
import type { DetectorOptions, Language } from '../language.ts'
import { CacheMirror } from './cache-mirror.ts'
import { CompiledCode } from './compiled-code.ts'
import { keptConditions } from './conditions.ts'
import { PythonDetector } from './detector.ts'
import { byRoot, RootsDetector } from './roots.ts'
import { createRuleSet } from './rules.ts'
import { Runtime } from './runtime.ts'
import type { Sandbox } from './sandbox.ts'
import { startSandbox } from './snapshot.ts'
import { SpareSandbox } from './spare.ts'

/** Without `apart` there is one child. */
interface Create {
  (content: DetectionContent, options: Omit<DetectorOptions, 'apart'> & { readonly apart?: never }): Promise<PythonDetector>
  (content: DetectionContent, options: DetectorOptions): Promise<PythonDetector | RootsDetector>
}

/** Rules in Python, run by CPython in WebAssembly in a process of its own that reaches nothing else. */
export const python = {
  type: 'python',
  summary: 'Python rules in the format of Panther, run in a sandboxed child process.',
  extension: '.py',

  async prepare() {
    const spare = await SpareSandbox.begin()
    return { create: (content, options) => createDetector(content, options, () => spare.take()), close: () => spare.close() }
  },

  create: ((content: DetectionContent, options: DetectorOptions) => createDetector(content, options, startSandbox)) as Create,
} as const satisfies Language

async function createDetector(
  content: DetectionContent,
  options: DetectorOptions,
  start: () => Promise<Sandbox>,
): Promise<PythonDetector | RootsDetector> {
  const mirror = new CacheMirror((await options.cache?.load()) ?? [])
  const { rules } = createRuleSet(content, options.all)
  const groups = byRoot(rules, options.apart ?? [])
  if (!options.apart || groups.size < 2) return createPart(content, options, start, mirror)
  const created = await Promise.allSettled(
    [...groups].map(([root, own]) => createPart({ ...content, rules: own }, options, start, mirror, root)),
  )
  const parts = created.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = created.find((result) => result.status === 'rejected')
  if (!failed) return new RootsDetector(parts, rules, mirror)
  await Promise.all(parts.map((part) => part.close()))
  throw failed.reason
}

/** A detector with one child. `root`: the content folder that its rules are in, when others are in other children. */
async function createPart(
  content: DetectionContent,
  { timeoutMs, all, compiledFolder, prefilter, onOff, later }: DetectorOptions,
  start: () => Promise<Sandbox>,
  mirror: CacheMirror,
  root?: string,
): Promise<PythonDetector> {
  const set = createRuleSet(content, all)
  const roots = [...rootsOf(content), ...(root === undefined ? [] : [`apart ${root}`])]
  const runtime = new Runtime(set, timeoutMs, CompiledCode.open(compiledFolder, roots), mirror, start)
  try {
    // Without rules nothing needs to start.
    if (set.rules.length > 0) await runtime.ready()
  } catch (error) {
    await runtime.close()
    throw error
  }
  const detector = new PythonDetector(set, runtime, { onOff, later: all ? never : later })
  if (prefilter && set.rules.length > 0) {
    const reading = detector.usePrefilter(prefilter, await keptConditions(compiledFolder, roots))
    // What an earlier run has read works at once. The rest is read in the background: events that come before are judged without it.
    await Promise.race([reading, setImmediate()])
  }
  return detector
}

/** Unit tests tell at once what does not load. */
const never = () => () => {}

/** The content roots that rules import from; the same for some rules of a content as for all. */
function rootsOf({ helpers, dataModels = [] }: DetectionContent): string[] {
  return [...new Set([...helpers, ...dataModels].map(({ root }) => root))].sort()
}
