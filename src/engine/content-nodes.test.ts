import { beforeEach, expect, test } from 'vitest'
import { contentNodes } from './content-nodes.ts'
import { Problems } from './problems.ts'

const meta = new Map<string, string>()
const store = {
  getMeta: async (key: string) => meta.get(key),
  setMeta: async (key: string, value: string) => void meta.set(key, value),
}
const FILES = ['content: a.yml', 'content: b.py']

beforeEach(() => meta.clear())

/** A process that becomes active as that node, with what it has reported. */
function active(node: string) {
  const problems = new Problems(() => 0)
  return { recorded: contentNodes(node, store, problems), messages: () => problems.current.map(({ message }) => message) }
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
