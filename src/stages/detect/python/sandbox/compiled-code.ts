import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { hash16 } from '../../../../util/hash.ts'
import { Kept } from '../../../../util/kept.ts'
import type { Source } from './protocol.ts'

/** Number of unused sources whose code is saved, since a run may have used only some of the rules. */
const SPARE = 2000

/**
 * Compiled code by the hash of its source; compiling takes most of the time of loading rules. In memory for replacement
 * children, in a file for the next run.
 *
 * Compiled code is no more powerful than a rule's source: only the sandbox loads it, under the same restrictions and limits, and
 * code that crashes the interpreter ends a child. So a planted file could change the results of rules, as changed rules
 * could, but reaches nothing that rules cannot reach.
 */
export class CompiledCode {
  readonly #kept: Kept
  /** Sources that could not be compiled. */
  readonly #hopeless = new Set<string>()

  private constructor(kept: Kept) {
    this.#kept = kept
  }

  /** Each set of content roots has its own file. */
  static open(folder: string | undefined, roots: readonly string[]): CompiledCode {
    const place = { kind: 'python', id: hash16(...roots), stamp: stamp(), spare: SPARE }
    return new CompiledCode(new Kept(folder === undefined ? undefined : { ...place, folder }))
  }

  has(source: Source): boolean {
    const key = keyOf(source)
    return this.#hopeless.has(key) || this.#kept.get(key) !== undefined
  }

  /** `null`: there is none. */
  get(source: Source): string | null {
    return this.#kept.get(keyOf(source)) ?? null
  }

  set(source: Source, code: string | null): void {
    if (code === null) this.#hopeless.add(keyOf(source))
    else this.#kept.set(keyOf(source), code)
  }

  save(): Promise<void> {
    return this.#kept.save()
  }
}

/** The file name is part of compiled code. */
function keyOf([file, text]: Source): string {
  return createHash('sha256').update(JSON.stringify(file)).update('\n').update(text).digest('hex')
}

function stamp(): string {
  const { version } = createRequire(import.meta.url)('pyodide/package.json') as { version: string }
  return `caracal-compiled 1 pyodide-${version}`
}
