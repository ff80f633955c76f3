import { beforeEach, expect, test } from 'vitest'
import type { Config } from '../config/config.ts'
import { type ContentNodesDeps, contentNodes } from './content-nodes.ts'
import { Problems } from './problems.ts'

const meta = new Map<string, string>()
const FILES = ['content: a.yml', 'content: b.py']

beforeEach(() => meta.clear())

/** A process that becomes active as that node with sources (id → format) in its configuration, and what it has reported. */
function active(node: string, sources: Readonly<Record<string, string>> = {}, disabled_packs: string[] = []) {
  const problems = new Problems(() => 0)
  const config = (of: typeof sources, disabled_packs: string[]) => {
    const all = Object.entries(of).map(([id, format]) => ({ type: 'http', id, format }))
    return { sources: all, disabled_packs, enabled_packs: [] } as unknown as Config
  }
  const live: ContentNodesDeps['live'] = { config: config(sources, disabled_packs), onUse: undefined }
  const recorded = contentNodes({
    node,
    getMeta: async (key) => meta.get(key),
    setMeta: async (key, value) => void meta.set(key, value),
    problems,
    live,
  })
  return {
    recorded,
    messages: () => problems.current.map(({ message }) => message),
    /** Sources are changed through the API. */
    use: async (sources: Readonly<Record<string, string>>) => {
      Object.assign(live, { config: config(sources, disabled_packs) })
      await live.onUse?.()
    },
  }
}

test('the first node, and one that starts again, may have any files', async () => {
  for (let start = 0; start < 2; start++) {
    const { recorded, messages } = active('one')
    await recorded('start', FILES)
    expect(messages()).toEqual([])
  }
})

test('another node with other files is reported until its files are changed', async () => {
  await active('one').recorded('start', FILES)
  const two = active('two')
  await two.recorded('start', FILES)
  expect(two.messages()).toEqual(['two has become active with other content than one had: content: a.yml, content: b.py'])
  await two.recorded('reload', [])
  expect(two.messages()).toHaveLength(1)
  await two.recorded('watch', ['content: a.yml'])
  expect(two.messages()).toEqual([])
})

test('another node with the same files is not reported, and what is changed there is its own', async () => {
  await active('one').recorded('start', FILES)
  const two = active('two')
  await two.recorded('start', [])
  await two.recorded('watch', FILES)
  expect(two.messages()).toEqual([])
})

test('of many files a few are named', async () => {
  await active('one').recorded('start', [])
  const two = active('two')
  await two.recorded(
    'start',
    Array.from({ length: 7 }, (_, i) => `content: ${i}.yml`),
  )
  expect(two.messages()[0]).toMatch(/: content: 0\.yml, .*content: 4\.yml and 2 more$/)
})

test('another node with other sources or packs is reported until they are changed', async () => {
  const one = active('one', { web: 'json', disk: 'json' })
  await one.recorded('start', [])
  await one.use({ web: 'json', disk: 'json', mail: 'json' })
  const two = active('two', { web: 'csv', disk: 'json', old: 'json' }, ['zeek'])
  await two.recorded('start', [])
  const message =
    'two has become active with other content than one had: packs, source mail (missing), source old (new), source web'
  expect(two.messages()).toEqual([message])
  await two.use({ web: 'json' })
  expect(two.messages()).toEqual([])
  const again = active('one', { web: 'json' }, ['zeek'])
  await again.recorded('start', [])
  expect(again.messages()).toEqual([])
})

test('of another version only what is missing or new is reported', async () => {
  await active('one', { web: 'json', disk: 'json' }).recorded('start', [])
  const known = JSON.parse(meta.get('content_settings')!) as object
  meta.set('content_settings', JSON.stringify({ ...known, version: '0.0.0' }))
  const two = active('two', { web: 'csv' })
  await two.recorded('start', [])
  expect(two.messages()).toEqual(['two has become active with other content than one had: source disk (missing)'])
})
