import { existsSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'

/** True if `path` is `folder` or below it. Both absolute. */
export function isUnder(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/**
 * The content root that a folder belongs to, so that the rules of a sub-folder find their root's globals: the given root that contains it,
 * else the nearest folder around it with `global_helpers`, else with `data_models` (the layout of Panther repositories), else the folder
 * itself.
 */
export function rootOf(path: string, roots: readonly string[]): string {
  const folder = resolve(path)
  const known = roots.find((root) => isUnder(root, folder))
  if (known) return known
  return nearestWith('global_helpers', folder) ?? nearestWith('data_models', folder) ?? folder
}

function nearestWith(name: string, folder: string): string | undefined {
  for (let around = folder; around !== dirname(around); around = dirname(around)) {
    if (existsSync(join(around, name))) return around
  }
  return undefined
}
