import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { hash16 } from '../../../../util/hash.ts'
import { Kept } from '../../../../util/kept.ts'
import type { Source } from './protocol.ts'

/** Number of unused sources whose code is kept, since a run may only have used some of the rules. */
const SPARE = 2000

/**
 * Compiled code by the hash of its source: compiling is most of the time that loading rules takes. In memory for a child that
 * is replaced, in a file for the next run.
 *
 * Compiled code is as powerful as a rule's source, no more: nothing but the sandbox loads it, behind the same walls and limits, and
 * what crashes the interpreter ends a child. So a file that somebody else has put there could change what rules answer, as
 * changed rules could, and reaches nothing that rules do not reach.
 */
export class CompiledCode {
  readonly #kept: Kept
  /** Sources that could not be compiled. */
  readonly #hopeless = new Set<string>()

  private constructor(kept: Kept) {
    this.#kept = kept
  }

  /** Each set of content roots has a file of its own. */
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

/** The file's name is a part of compiled code. */
function keyOf([file, text]: Source): string {
  return createHash('sha256').update(JSON.stringify(file)).update('\n').update(text).digest('hex')
}

function stamp(): string {
  const { version } = createRequire(import.meta.url)('pyodide/package.json') as { version: string }
  return `caracal-compiled 1 pyodide-${version}`
}
