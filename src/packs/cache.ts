import { readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { hash16, sha256 } from '../util/hash.ts'

/** Raise it when `readYaml` gives another text for the same YAML. */
const READER = 1

const MAX_BYTES = 256 * 1024 * 1024

/**
 * What YAML texts stand for (`readYaml`), kept from run to run by the text's own hash: reading YAML is most of the time that
 * loading content takes. Checks are never kept, so a newer program finds what an older one did not. A file that is damaged,
 * or of another version, or that cannot be read or written is as good as none.
 */
export class ContentCache {
  readonly #file: string | undefined
  readonly #known: ReadonlyMap<string, string>
  /** What this run asked for: the rest is of files that are gone, and is not kept. */
  readonly #used = new Map<string, string>()
  #isChanged = false

  /** `folder` undefined: nothing is kept. Each root and way of reading has a file of its own. */
  constructor(folder: string | undefined, root: string, tests: boolean) {
    this.#file = folder === undefined ? undefined : join(folder, `${hash16(root)}-${tests ? 'full' : 'lean'}`)
    this.#known = this.#file === undefined ? new Map() : readCache(this.#file)
  }

  /** The JSON of a YAML text: kept, or made by `make` and kept then. What `make` throws is not kept. */
  json(text: string, make: (text: string) => string): string {
    if (this.#file === undefined) return make(text)
    const key = sha256(Buffer.from(text))
    const known = this.#known.get(key)
    const json = known ?? make(text)
    if (known === undefined) this.#isChanged = true
    this.#used.set(key, json)
    return json
  }

  /** Writes what was used, if that differs from what is there. Only a file that is whole ever gets the name. */
  async save(): Promise<void> {
    if (this.#file === undefined || (!this.#isChanged && this.#used.size === this.#known.size)) return
    const body = [...this.#used].map(([key, json]) => `${key} ${json}\n`).join('')
    const draft = `${this.#file}.${process.pid}`
    try {
      await mkdir(join(this.#file, '..'), { recursive: true, mode: 0o700 })
      await writeFile(draft, `${stamp()} ${sha256(Buffer.from(body))}\n${body}`, { mode: 0o600 })
      await rename(draft, this.#file)
    } catch {
      // A full or read-only disk costs the time that the file would have saved, nothing else.
      await rm(draft, { force: true }).catch(() => {})
    }
  }
}

function stamp(): string {
  const { version } = createRequire(import.meta.url)('yaml/package.json') as { version: string }
  return `caracal-content ${READER} yaml-${version}`
}

function readCache(file: string): Map<string, string> {
  const known = new Map<string, string>()
  try {
    const bytes = readFileSync(file)
    const lineEnd = bytes.indexOf(10)
    if (bytes.length > MAX_BYTES || lineEnd < 0) return known
    const body = bytes.subarray(lineEnd + 1)
    if (bytes.toString('utf8', 0, lineEnd) !== `${stamp()} ${sha256(body)}`) return known
    for (const line of body.toString('utf8').split('\n')) {
      const space = line.indexOf(' ')
      if (space > 0) known.set(line.slice(0, space), line.slice(space + 1))
    }
  } catch {
    // There is none yet, or it cannot be read.
  }
  return known
}
