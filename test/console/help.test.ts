import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lexer, type Tokens, walkTokens } from 'marked'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { slugOf } from '../../console/src/pages/help/slug.ts'
import { packageRoot } from '../../src/util/entry.ts'
import { TestConsole } from './support/console.ts'

let console_: TestConsole
beforeAll(async () => {
  console_ = await TestConsole.start()
})
afterAll(() => console_.end())
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

test('the documents are found by their words, and their links lead to other documents and their headings', async () => {
  const page = await console_.page('/help')
  await page.getByRole('link', { name: 'Sending logs to Caracal' }).waitFor()
  await page.getByRole('textbox', { name: 'Search all documents' }).fill('loki PROMTAIL')
  await expect.poll(() => page.locator('main li').count()).toBeLessThan(5)
  await page.getByRole('link', { name: 'Sending logs to Caracal' }).click()
  await page.getByRole('heading', { level: 1, name: 'Sending logs to Caracal' }).waitFor()
  await page.locator('article').getByRole('link', { name: 'accounts' }).first().click()
  await page.getByRole('heading', { level: 1, name: /accounts/i }).waitFor()
  expect(new URL(page.url()).pathname).toBe('/help/accounts')
})

test('a link to a heading shows it', async () => {
  const page = await console_.page('/help/console#security')
  await page.getByRole('heading', { name: 'Security' }).waitFor()
  await expect
    .poll(() => page.evaluate("document.getElementById('security').getBoundingClientRect().top < innerHeight"))
    .toBe(true)
})

test('every link of a document leads to a document and a heading that exist', () => {
  const folders = ['docs', 'docs/decisions'].map((folder) => join(packageRoot(), folder))
  const texts = new Map(
    folders.flatMap((folder) =>
      readdirSync(folder)
        .filter((file) => file.endsWith('.md'))
        .map((file) => [file, readFileSync(join(folder, file), 'utf8')] as const),
    ),
  )
  const headings = (file: string) => {
    const found: string[] = []
    void walkTokens(lexer(texts.get(file)!), (token) => {
      if (token.type === 'heading') found.push(slugOf((token as Tokens.Heading).text))
    })
    return found
  }
  let count = 0
  const wrong: string[] = []
  for (const [file, text] of texts)
    void walkTokens(lexer(text), (token) => {
      if (token.type !== 'link' || /^https?:/.test(token['href'])) return
      const [path, hash] = String(token['href']).split('#') as [string, string?]
      const target = path === '' ? file : path.replace(/^.*\//, '')
      count++
      if (!texts.has(target) || (hash !== undefined && !headings(target).includes(hash))) wrong.push(`${file}: ${token['href']}`)
    })
  expect(count).toBeGreaterThan(100)
  expect(wrong).toEqual([])
})

test('a document that does not exist leads back to the list', async () => {
  const page = await console_.page('/help/nothing')
  await page.getByRole('link', { name: 'All documents' }).click()
  await page.getByRole('heading', { level: 1, name: 'Help' }).waitFor()
})
