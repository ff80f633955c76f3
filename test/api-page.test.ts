import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NEWS_KINDS } from '../src/model/news.ts'
import { Caracal, freePort } from './support/caracal.ts'

const page = readFileSync(join(import.meta.dirname, '../docs/api.md'), 'utf8')
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text!)
const folder = mkdtempSync(join(tmpdir(), 'caracal-api-page-'))
let caracal: Caracal
let port: number

beforeAll(async () => {
  port = await freePort()
  caracal = new Caracal({
    port,
    dataDir: join(folder, 'data'),
    cwd: folder,
    args: ['--no-demo', '--listen', `127.0.0.1:${port}`],
  })
  await caracal.start()
})
afterAll(async () => {
  expect(await caracal.end('SIGTERM')).toBe(0)
  rmSync(folder, { recursive: true, force: true })
})

test('the commands of docs/api.md answer what the page says', async () => {
  const [variables, missing, list, tags, repeated, stream] = blocks('sh')
  const run = async (command: string) => {
    const script = `${variables!.replace(':4848', `:${port}`)}\n${command}`
    return (await promisify(execFile)('bash', ['-c', script], { cwd: folder })).stdout
  }
  expect(JSON.parse(await run(missing!))).toEqual(JSON.parse(blocks('json')[0]!))
  expect(JSON.parse(await run(list!))).toMatchObject({ results: [{}, {}], next: expect.any(String) })
  expect(await run(tags!)).toBe('304\n')
  expect(await run(repeated!)).toBe('one query\n')
  expect(await run(`${stream!.trim()} | head -n 1`)).toBe('retry: 2000\n')
})

test('docs/api.md names every kind of event', () => {
  const named = [...page.matchAll(/`([a-z]+\.[a-z]+)`/g)].map(([, kind]) => kind!)
  expect(named.filter((kind) => kind !== 'errors.md')).toEqual([...NEWS_KINDS])
})
