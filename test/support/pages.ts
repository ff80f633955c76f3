import type { Caracal } from './caracal.ts'

/** Every result of a list of the API, page by page. */
export async function inPages(caracal: Pick<Caracal, 'fetch'>, path: string): Promise<unknown[]> {
  const all: unknown[] = []
  for (let cursor = ''; ; ) {
    const response = await caracal.fetch(`${path}${cursor && `&cursor=${cursor}`}`)
    const { results, next } = (await response.json()) as { results: unknown[]; next: string | null }
    all.push(...results)
    if (next === null) return all
    cursor = next
  }
}
