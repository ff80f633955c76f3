import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { until } from './support/until.ts'

/** docs/searching.md: each example on the sample returns the rows that stand after it. */
const page = readFileSync(join(packageRoot(), 'docs/searching.md'), 'utf8').split('\n## Examples on the sample\n')[1]!
const examples = [...page.matchAll(/\*\*([^*]+)\*\*[^`]*(?:`[^`]*`[^`]*)*?```sql\n([\s\S]*?)```\n\n((?:\|.*\|\n)+)/g)].map(
  ([, question, sql, table]) => ({
    question: question!,
    sql: sql!,
    rows: table!
      .trim()
      .split('\n')
      .filter((_, i) => i !== 1),
  }),
)
const folder = mkdtempSync(join(tmpdir(), 'caracal-searching-'))
let caracal: Caracal

beforeAll(async () => {
  const port = await freePort()
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${port}` }))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: [] })
  await caracal.start()
  await until(async () => {
    const { results } = (await (await caracal.fetch('/api/v1/sources')).json()) as {
      results: { id: string; received: number; in_flight: number; backlog_bytes: number }[]
    }
    const demo = results.find(({ id }) => id === 'demo')
    return demo && demo.received > 0 && demo.in_flight === 0 && demo.backlog_bytes === 0
  })
})
afterAll(async () => {
  await caracal.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

test('there are ten examples and more', () => {
  expect(examples.length).toBeGreaterThanOrEqual(12)
  expect(page.match(/^```sql$/gm)).toHaveLength(examples.length)
})

test.each(examples)('$question', async ({ sql, rows }) => {
  const ask = async () => {
    const response = await caracal.fetch('/api/v1/query', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql }),
    })
    const answer = (await response.json()) as { columns: { name: string }[]; rows: unknown[][]; detail?: string }
    expect(answer.detail).toBeUndefined()
    return [answer.columns.map(({ name }) => name), ...answer.rows].map((row) => `| ${row.join(' | ')} |`)
  }
  expect(await ask()).toEqual(rows)
})
