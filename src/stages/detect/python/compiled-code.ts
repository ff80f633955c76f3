import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { hash16, sha256 } from '../../../util/hash.ts'
import type { Source } from './protocol.ts'

/** So many sets of rules are kept; those not written for the longest time go first. */
const MAX_FILES = 16
const MAX_BYTES = 256 * 1024 * 1024

/**
 * Compiled code by the hash of its source: compiling is most of the time that loading rules takes. In memory for a child that
 * is replaced, in a file for the next run. A file that is damaged, of another version, or that cannot be read or written is
 * as good as none.
 */
export class CompiledCode {
  readonly #file: string | undefined
  readonly #known: Map<string, string | null>

  private constructor(file: string | undefined, known: Map<string, string | null>) {
    this.#file = file
    this.#known = known
  }

  /** Each set of items has a file of its own, so that processes with different rules do not undo each other's work. */
  static async open(folder: string | undefined, items: readonly { readonly id: string }[]): Promise<CompiledCode> {
    if (folder === undefined) return new CompiledCode(undefined, new Map())
    const file = join(folder, `python-${hash16(...items.map(({ id }) => id))}`)
    return new CompiledCode(file, await read(file))
  }

  has(source: Source): boolean {
    return this.#known.has(keyOf(source))
  }

  /** `null`: there is none. */
  get(source: Source): string | null {
    return this.#known.get(keyOf(source)) ?? null
  }

  set(source: Source, code: string | null): void {
    this.#known.set(keyOf(source), code)
  }

  /** Only a file that is whole ever gets the name. */
  async save(): Promise<void> {
    if (this.#file === undefined) return
    const body = [...this.#known].map(([key, code]) => (code === null ? '' : `${key} ${code}\n`)).join('')
    const draft = `${this.#file}.${process.pid}`
    try {
      await mkdir(join(this.#file, '..'), { recursive: true, mode: 0o700 })
      await writeFile(draft, `${stamp()} ${sha256(Buffer.from(body))}\n${body}`, { mode: 0o600 })
      await rename(draft, this.#file)
      await prune(join(this.#file, '..'))
    } catch {
      // A full or read-only disk costs the time that the file would have saved, nothing else.
      await rm(draft, { force: true }).catch(() => {})
    }
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

async function read(file: string): Promise<Map<string, string>> {
  const known = new Map<string, string>()
  try {
    if ((await stat(file)).size > MAX_BYTES) return known
    const bytes = await readFile(file)
    const body = bytes.subarray(bytes.indexOf(10) + 1)
    if (bytes.toString('utf8', 0, bytes.indexOf(10)) !== `${stamp()} ${sha256(body)}`) return known
    for (const line of body.toString('latin1').split('\n')) {
      const space = line.indexOf(' ')
      if (space > 0) known.set(line.slice(0, space), line.slice(space + 1))
    }
  } catch {
    // There is none yet, or it cannot be read.
  }
  return known
}

async function prune(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /^python-[0-9a-f]{16}$/.test(name))
  if (names.length <= MAX_FILES) return
  const files = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), writtenMs: (await stat(join(folder, name))).mtimeMs })),
  )
  files.sort((a, b) => b.writtenMs - a.writtenMs)
  await Promise.all(files.slice(MAX_FILES).map(({ path }) => rm(path, { force: true })))
}
