import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Content } from '../../packs/content.ts'
import { loadContent } from '../../packs/load.ts'
import { withOverrides } from '../../packs/overrides.ts'
import { withSuppressions } from '../../packs/suppressions.ts'
import { ConfigError, messageOf } from '../../util/errors.ts'

/** Content read from a temporary folder. */
export interface TreeContent {
  readonly content: Content
  /** The folder of each content root. */
  readonly roots: readonly string[]
}

/**
 * Writes files, named `1/path` by the number of their content root and their path in it, to a temporary folder, reads them as content and
 * deletes them once `use` is done. Only rules are made ready to run: nothing of tables is opened or resolved. Rejects with `ConfigError` if
 * the files cannot be written.
 */
export async function withContentTree<T>(
  files: ReadonlyMap<string, Uint8Array>,
  use: (tree: TreeContent) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'caracal-bundle-'))
  try {
    for (const [name, text] of files) await write(folder, name, text)
    const numbers = [...new Set([...files.keys()].map((name) => Number(name.split('/', 1)[0])))].sort((a, b) => a - b)
    const roots = numbers.map((number) => join(folder, String(number)))
    const content = withOverrides(await loadContent(roots, { tests: false }))
    return await use({ content: { ...content, policies: content.policies.map(withSuppressions) }, roots })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function write(folder: string, name: string, text: Uint8Array): Promise<void> {
  const path = join(folder, name)
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { flag: 'wx' })
  } catch (error) {
    throw new ConfigError(`the content file '${name}' cannot be written to the temporary folder: ${messageOf(error)}`)
  }
}
