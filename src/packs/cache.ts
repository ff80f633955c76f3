import { createRequire } from 'node:module'
import { hash16, sha256 } from '../util/hash.ts'
import { Kept } from '../util/kept.ts'

/** Raise it when `readYaml` gives another text for the same YAML. */
const READER = 2

/**
 * What YAML texts stand for (`readYaml`), kept from run to run by the text's own hash: reading YAML is most of the time that
 * loading content takes. Checks are never kept, so a newer program finds what an older one did not.
 */
export class ContentCache {
  readonly #kept: Kept | undefined

  /** `folder` undefined: nothing is kept. Each root and way of reading has a file of its own. */
  constructor(folder: string | undefined, root: string, tests: boolean) {
    // Texts of files that are gone are not kept.
    const place = { kind: tests ? 'full' : 'lean', id: hash16(root), stamp: stamp(), spare: 0 }
    this.#kept = folder === undefined ? undefined : new Kept({ ...place, folder })
  }

  /** The JSON of a YAML text: kept, or made by `make` and kept then. What `make` throws is not kept. */
  json(text: string, make: (text: string) => string): string {
    if (this.#kept === undefined) return make(text)
    const key = sha256(Buffer.from(text))
    const known = this.#kept.get(key)
    if (known !== undefined) return known
    const json = make(text)
    this.#kept.set(key, json)
    return json
  }

  async save(): Promise<void> {
    await this.#kept?.save()
  }
}

function stamp(): string {
  const { version } = createRequire(import.meta.url)('yaml/package.json') as { version: string }
  return `caracal-content ${READER} yaml-${version}`
}
