import type { Language } from '../language.ts'
import { CompiledCode } from './compiled-code.ts'
import { PythonDetector } from './detector.ts'
import { createRuleSet } from './rules.ts'
import { Runtime } from './runtime.ts'

/** Rules in Python, run by CPython in WebAssembly in a process of its own that reaches nothing else. */
export const python = {
  type: 'python',
  summary: 'Python rules in the format of Panther, run in a sandboxed child process.',
  extension: '.py',

  async create(content, { timeoutMs, all, cache, compiledFolder, prefilter }) {
    const set = createRuleSet(content, all)
    const runtime = new Runtime(set, timeoutMs, await CompiledCode.open(compiledFolder, set.items), await cache?.load())
    try {
      // Without rules nothing needs to start.
      if (set.rules.length > 0) await runtime.ready()
    } catch (error) {
      await runtime.close()
      throw error
    }
    const detector = new PythonDetector(set, runtime)
    // In the background: events that come before it is done are judged without it.
    if (prefilter && set.rules.length > 0) void detector.usePrefilter(prefilter)
    return detector
  },
} as const satisfies Language
