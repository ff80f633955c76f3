import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that contains package.json. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/**
 * The compiled file of a thread's or child's entry, given as a path below `src` without extension
 * (`engine/pipeline-thread`). Threads and children run compiled code even if the caller runs from source (tests).
 */
export function entryFile(path: string): string {
  const here = dirname(dirname(fileURLToPath(import.meta.url)))
  const compiled = relative(packageRoot(), here).startsWith('src') ? join(packageRoot(), 'dist') : here
  const file = join(compiled, `${path}.js`)
  if (!existsSync(file)) throw new Error(`${file} is missing: run \`npm run build\` first`)
  return file
}
