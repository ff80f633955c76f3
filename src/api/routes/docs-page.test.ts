import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser } from '../../../test/support/browser.ts'
import { type FakeEngine, fakeEngine, TOKEN } from '../../../test/support/fake-engine.ts'
import { createApp } from '../app.ts'
import { type Description, groupsOf, type NamedOperation } from '../pages/api-docs/description.ts'
import { GROUPS } from '../pages/api-docs/groups.ts'
import { anchorOf } from '../pages/api-docs/operation-part.ts'
import { prose } from '../pages/api-docs/prose.ts'
import { curlOf, sampleOf } from '../pages/api-docs/sample.ts'

let engine: FakeEngine
let operations: readonly NamedOperation[] = []
let groups: readonly string[] = []
let page = ''
let policy: string | null = ''

beforeAll(async () => {
  engine = await fakeEngine()
  const get = (path: string) => createApp(engine).request(path, { headers: { authorization: `Bearer ${TOKEN}` } })
  const description = (await (await get('/api/v1/openapi.json')).json()) as Description
  operations = [...groupsOf(description).values()].flat()
  groups = [...groupsOf(description).keys()]
  const response = await get('/api/v1/docs')
  page = await response.text()
  policy = response.headers.get('content-security-policy')
})
afterAll(() => engine.dispose())

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll("'", '&#39;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

test('every operation is there once, with its summary, its call and a link to it', () => {
  expect(operations.length).toBeGreaterThan(100)
  for (const operation of operations) {
    const anchor = anchorOf(operation)
    expect([operation.name, page.split(`id="${anchor}"`).length, page.split(`href="#${anchor}"`).length]).toEqual([
      operation.name,
      2,
      2,
    ])
    expect(page).toContain(escaped(curlOf(operation)))
    for (const part of (operation.summary ?? '').split('`')) expect(page).toContain(escaped(part))
    for (const { name } of operation.parameters ?? []) expect(page).toContain(`<code>${name}</code>`)
  }
})

test('the page runs no scripts and loads nothing from elsewhere', () => {
  expect(policy).toMatch(/^default-src 'none'; style-src 'self'/)
  expect(page).not.toMatch(/<script|javascript:|\son\w+=|style=|src=|https?:\/\//i)
})

test('every group of operations has a title, and every title a group', () => {
  expect(Object.keys(GROUPS).sort()).toEqual([...groups].sort())
})

test('text of the description cannot become markup', async () => {
  expect(String(await prose('<b>`<i>`'))).toBe('<span class="prose">&lt;b&gt;<code>&lt;i&gt;</code></span>')
})

describe('who opens it', () => {
  test('without a session, in a browser: signs in first, and comes back', async () => {
    const ana = new Browser(engine)
    const first = await ana.call('GET', '/api/v1/docs', undefined, { accept: 'text/html' })
    expect([first.status, first.headers.get('location')]).toEqual([303, './../../sign-in?next=/api/v1/docs'])
    const made = await engine.accounts.users.create({
      email: 'ana@example.com',
      name: 'Ana',
      role: 'viewer',
      logTypes: ['Nginx.*'],
      createdBy: 'test',
    })
    await engine.accounts.users.setPassword((made as { userId: string }).userId, 'four words in a row')
    await ana.signIn('ana@example.com', 'four words in a row')
    const second = await ana.call('GET', '/api/v1/docs', undefined, { accept: 'text/html' })
    expect([second.status, second.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8'])
    expect((await ana.call('GET', '/api/v1/docs.css')).headers.get('content-type')).toMatch(/^text\/css/)
  })

  test('a program without a token is refused', async () => {
    expect((await createApp(engine).request('/api/v1/docs')).status).toBe(401)
    expect((await createApp(engine).request('/api/v1/docs.css')).status).toBe(401)
  })
})

test('docs/api.md names every group of operations, and no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/api.md'), 'utf8')
  const section = text.slice(text.indexOf('## What there is'), text.indexOf('## Calls that fail'))
  const named = [...section.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([a-z-]+)`/g)].map(([, group]) => group!),
  )
  expect(named.sort()).toEqual([...groups].sort())
})

test('every pattern of the description is a regular expression without its flags', async () => {
  const response = await createApp(engine).request('/api/v1/openapi.json', { headers: { authorization: `Bearer ${TOKEN}` } })
  const patterns = [...(await response.text()).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(
    ([, text]) => JSON.parse(text!) as string,
  )
  expect(patterns.length).toBeGreaterThan(20)
  for (const pattern of patterns) {
    expect(() => new RegExp(pattern, 'u')).not.toThrow()
    expect(pattern).not.toMatch(/\$\/[a-z]+$/)
  }
})

test('the example of each body is one that the operation accepts', () => {
  const ajv = new Ajv2020({ strict: false })
  addFormats.default(ajv)
  for (const format of ['ipv4-cidr', 'ipv6-cidr', 'ip']) ajv.addFormat(format, true)
  const wrong = operations.flatMap(({ name, requestBody }) => {
    const schema = requestBody?.content['application/json']?.schema
    return schema && !ajv.validate(schema, sampleOf(schema))
      ? [`${name}: ${ajv.errorsText()} ${JSON.stringify(sampleOf(schema))}`]
      : []
  })
  expect(wrong).toEqual([])
})
