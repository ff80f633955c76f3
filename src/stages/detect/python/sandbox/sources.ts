import { createHash } from 'node:crypto'
import { readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { glob } from 'tinyglobby'

/** The folder of the installed Pyodide, without symbolic links: Node's permission flags compare real paths. */
export function pyodideFolder(): string {
  return dirname(realpathSync(createRequire(import.meta.url).resolve('pyodide/package.json')))
}

/** The shipped Python as `{path: source}` in JSON, paths relative to `sdk/python`, in a stable order. */
export async function readSources(): Promise<Uint8Array> {
  // Next to this file, also in a build that is not installed yet.
  const folder = join(dirname(fileURLToPath(import.meta.url)), '../../../../sdk/python')
  const paths = (await glob('**/*.py', { cwd: folder })).sort()
  return new TextEncoder().encode(
    JSON.stringify(Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]))),
  )
}

/** Changes whenever a snapshot made by another build must not be used. */
export function snapshotKey(sources: Uint8Array): string {
  const { version } = createRequire(import.meta.url)('pyodide/package.json') as { version: string }
  return createHash('sha256').update(`${version} ${process.version} ${process.arch}\n`).update(sources).digest('hex').slice(0, 16)
}
