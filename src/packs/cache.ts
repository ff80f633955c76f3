import { createRequire } from 'node:module'
import { join } from 'node:path'
import { packageRoot } from '../util/entry.ts'
import { hash16, sha256 } from '../util/hash.ts'
import { Kept } from '../util/kept.ts'

/** What the build has read of the packs that come with the program (scripts/build.mjs), so that a first start need not. */
const SHIPPED = { folder: join(packageRoot(), 'dist/packs-read'), id: '0'.repeat(16) }
const shipped = new Map<string, Kept>()

/** Increase it if `readYaml` returns another text for the same YAML. */
const READER = 2

/**
 * Results of `readYaml`, stored across runs by the text's hash: reading YAML takes most of the time of loading content. Results of checks
 * are not stored, so a newer program finds what an older one did not.
 */
export class ContentCache {
  readonly #kept: Kept | undefined
  readonly #kind: string

  /** `folder` undefined: nothing is stored. Each root and way of reading has a separate file. */
  constructor(folder: string | undefined, root: string, tests: boolean) {
    // Texts of files that are gone are removed.
    this.#kind = tests ? 'full' : 'lean'
    const place = { kind: this.#kind, id: hash16(root), stamp: stamp(), spare: 0 }
    this.#kept = folder === undefined ? undefined : new Kept({ ...place, folder })
  }

  /** The JSON of a YAML text: from the cache, or created by `make` and then stored. If `make` throws, nothing is stored. */
  json(text: string, make: (text: string) => string): string {
    const key = sha256(Buffer.from(text))
    const known = this.#kept?.get(key)
    if (known !== undefined) return known
    const json = ofShipped(this.#kind).get(key) ?? make(text)
    this.#kept?.set(key, json)
    return json
  }

  async save(): Promise<void> {
    await this.#kept?.save()
  }
}

function ofShipped(kind: string): Kept {
  const known = shipped.get(kind) ?? new Kept({ ...SHIPPED, kind, stamp: stamp(), spare: 0 })
  shipped.set(kind, known)
  return known
}

function stamp(): string {
  const { version } = createRequire(import.meta.url)('yaml/package.json') as { version: string }
  return `caracal-content ${READER} yaml-${version}`
}
