import { hash16 } from '../../../../util/hash.ts'
import { Kept } from '../../../../util/kept.ts'
import type { RuleSet } from '../rules.ts'
import { readSources, snapshotKey } from '../sandbox/sources.ts'

/** Maximum number of other rule sets remembered in a file. */
const SPARE = 16

/** Sets of rules that loaded without an error in an earlier run, so that no child has to be started just to check them again. */
export class KnownLoads {
  readonly #key: string
  readonly #folder: string | undefined
  readonly #roots: readonly string[]
  #kept: Promise<Kept> | undefined

  /** Without a folder nothing is known. */
  constructor(set: RuleSet, folder: string | undefined, roots: readonly string[]) {
    this.#key = hash16(JSON.stringify(set.load([], new Map(), { careful: false, watch: 'never' })))
    this.#folder = folder
    this.#roots = roots
  }

  async has(): Promise<boolean> {
    return (await this.#open()).get(this.#key) !== undefined
  }

  /** Records that the set has loaded without an error. */
  async add(): Promise<void> {
    const kept = await this.#open()
    kept.set(this.#key, 'loads')
    await kept.save()
  }

  #open(): Promise<Kept> {
    this.#kept ??= openKept(this.#folder, this.#roots)
    return this.#kept
  }
}

async function openKept(folder: string | undefined, roots: readonly string[]): Promise<Kept> {
  if (folder === undefined) return new Kept(undefined)
  // Includes all of the shipped Python, which rules may import.
  const stamp = `caracal-loads 1 ${snapshotKey(await readSources())}`
  return new Kept({ folder, kind: 'loads', id: hash16(...roots), stamp, spare: SPARE })
}
