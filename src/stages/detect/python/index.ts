import { setImmediate } from 'node:timers/promises'
import type { DetectionContent } from '../../../model/rule.ts'
import type { DetectorOptions, Language } from '../language.ts'
import { CompiledCode } from './compiled-code.ts'
import { keptConditions } from './conditions.ts'
import { PythonDetector } from './detector.ts'
import { createRuleSet } from './rules.ts'
import { Runtime } from './runtime.ts'
import type { Sandbox } from './sandbox.ts'
import { startSandbox } from './snapshot.ts'
import { SpareSandbox } from './spare.ts'

/** Rules in Python, run by CPython in WebAssembly in a process of its own that reaches nothing else. */
export const python = {
  type: 'python',
  summary: 'Python rules in the format of Panther, run in a sandboxed child process.',
  extension: '.py',

  async prepare() {
    const spare = await SpareSandbox.begin()
    return { create: (content, options) => createDetector(content, options, () => spare.take()), close: () => spare.close() }
  },

  create: (content, options) => createDetector(content, options, startSandbox),
} as const satisfies Language

async function createDetector(
  content: DetectionContent,
  { timeoutMs, all, cache, compiledFolder, prefilter }: DetectorOptions,
  start: () => Promise<Sandbox>,
): Promise<PythonDetector> {
  const set = createRuleSet(content, all)
  const roots = rootsOf(content)
  const compiled = CompiledCode.open(compiledFolder, roots)
  const runtime = new Runtime(set, timeoutMs, compiled, await cache?.load(), start)
  try {
    // Without rules nothing needs to start.
    if (set.rules.length > 0) await runtime.ready()
  } catch (error) {
    await runtime.close()
    throw error
  }
  const detector = new PythonDetector(set, runtime)
  if (prefilter && set.rules.length > 0) {
    const reading = detector.usePrefilter(prefilter, await keptConditions(compiledFolder, roots))
    // What an earlier run has read works at once. The rest is read in the background: events that come before are judged without it.
    await Promise.race([reading, setImmediate()])
  }
  return detector
}

/** The content roots that rules import from; the same for some rules of a content as for all. */
function rootsOf({ helpers, dataModels = [] }: DetectionContent): string[] {
  return [...new Set([...helpers, ...dataModels].map(({ root }) => root))].sort()
}
