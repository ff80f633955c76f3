import type { TakenBatches } from '../objects/taking.fixture.ts'

/** The records as the parser gets them. */
export function recordsOf({ chunks }: TakenBatches): string[] {
  return chunks.flatMap(({ bytes, records }) => {
    const spans = [...(records ?? [])]
    const text = Buffer.from(bytes)
    return spans.flatMap((from, i) => (i % 2 === 0 ? text.subarray(from, spans[i + 1]).toString() : []))
  })
}

/** The member `n` of records. */
export const numbers = (records: readonly string[]) => records.map((text) => (JSON.parse(text) as { n: number }).n)

/** Waits for a value, one turn of the event loop after the other. */
export async function until(value: () => unknown): Promise<void> {
  while (!(await value())) await new Promise((resolve) => setTimeout(resolve, 5))
}
