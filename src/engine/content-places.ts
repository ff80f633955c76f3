import { join, resolve } from 'node:path'
import { type ContentEntry, contentFolders, gitName, gitTree } from '../config/content.ts'
import { contentRoots } from '../packs/load.ts'
import { packageRoot } from '../util/entry.ts'

/** A content root, as shown to users. */
export interface ContentPlace {
  readonly name: string
  /** Absolute path. */
  readonly folder: string
  readonly kind: 'shipped' | 'folder' | 'git'
}

/** The content roots of a configuration in order; those in git are included once they have been pulled. */
export function contentPlaces(config: { readonly content: readonly ContentEntry[]; readonly data_dir: string }): ContentPlace[] {
  const named = new Map<string, Omit<ContentPlace, 'folder'>>([
    [join(packageRoot(), 'packs'), { name: 'shipped packs', kind: 'shipped' }],
    [resolve('content'), { name: 'content', kind: 'folder' }],
  ])
  for (const entry of config.content) {
    if (typeof entry === 'string') named.set(resolve(entry), { name: entry, kind: 'folder' })
    else named.set(gitTree(config.data_dir, entry), { name: gitName(entry), kind: 'git' })
  }
  return contentRoots(contentFolders(config)).map((folder) => ({ folder, ...named.get(folder)! }))
}
