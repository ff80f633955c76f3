const FILES = import.meta.glob<string>(['../../../../docs/*.md', '../../../../docs/decisions/*.md'], {
  query: '?raw',
  import: 'default',
})

const LOADERS = new Map(Object.entries(FILES).map(([path, load]) => [nameOf(path), load]))

/** The text of a document, by the name of its file; `undefined` if there is no such document. */
export async function documentText(name: string): Promise<string | null> {
  return (await LOADERS.get(name)?.()) ?? null
}

/** Whether a link in a document leads to another one. */
export function isDocument(name: string): boolean {
  return LOADERS.has(name)
}

/** `../docs/decisions/0073-console.md` → `0073-console`. */
export function nameOf(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.md$/, '')
}
