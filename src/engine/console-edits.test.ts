import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import { type ContentCause, MAX_TEXT_BYTES } from '../model/content-history.ts'
import { recordContent } from '../state/content-history.ts'
import type { StateDb } from '../state/db.ts'
import { sha256 } from '../util/hash.ts'
import { takeOverEdits } from './console-edits.ts'

const PATH = 'rules/a.yml'
const LONG = 'x'.repeat(MAX_TEXT_BYTES + 1)

onEachState(({ open }) => {
  let folder: string
  let db: StateDb
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-edits-'))
    db = await open(folder)
  })
  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  })

  let generation = 0
  /** Another node has this file in force, or none, and this is why. */
  async function inForce(cause: ContentCause, text: string | undefined, path = PATH): Promise<void> {
    const other = { root: 'content', path: 'b.yml', hash: sha256(Buffer.from('b')) }
    await recordContent(db, {
      ...{ cause, actor: 'someone', commits: {}, nowMs: 1, generation: String(++generation).padStart(16, '0') },
      files: [other, ...(text === undefined ? [] : [{ root: 'content', path, hash: sha256(Buffer.from(text)) }])],
      textOf: async ({ path: of }) => Buffer.from(of === path ? (text ?? '') : 'b'),
    })
  }
  const content = () => join(folder, 'content')
  function write(text: string): void {
    mkdirSync(join(content(), 'rules'), { recursive: true })
    writeFileSync(join(content(), PATH), text)
  }
  function read(path = PATH): string | undefined {
    try {
      return readFileSync(join(content(), path), 'utf8')
    } catch {
      return undefined
    }
  }
  const takeOver = (kind: 'folder' | 'git' = 'folder') => takeOverEdits(db, [{ name: 'content', folder: content(), kind }])

  /** The causes and texts of the file on another node, oldest first; this node's text before and after it takes over. `-` is no file. */
  test.each([
    ['an edit', 'start old, edit new', 'old', 'new'],
    ['the last of several', 'start old, edit newer, edit new', 'old', 'new'],
    ['one that this node missed', 'start old, edit new, edit last', 'new', 'last'],
    ['one that follows a change of files that both have', 'start old, watch both, edit new', 'both', 'new'],
    ['a new file', 'start -, edit new', '-', 'new'],
    ['the removal of a file', 'start old, edit -', 'old', '-'],
    ['an edit that was undone', 'start old, edit new, undo old', 'new', 'old'],
    ['nothing if this node has it', 'start old, edit new', 'new', 'new'],
    ['nothing over a file of its own', 'start old, edit new', 'own', 'own'],
    ['nothing in place of a file that was removed here', 'start old, edit new', '-', '-'],
    ['no change of files', 'start old, watch new', 'old', 'old'],
    ['no edit that follows one', 'start old, watch other, edit new', 'old', 'old'],
    ['no edit that one follows', 'start old, edit other, reload new', 'old', 'old'],
    ['no text that is too long for the state', `start old, edit ${LONG}`, 'old', 'old'],
  ])('takes over %s', async (_, history, here, after) => {
    const textOf = (text: string) => (text === '-' ? undefined : text)
    for (const step of history.split(', ')) {
      const [cause, text] = step.split(' ') as [ContentCause, string]
      await inForce(cause, textOf(text))
    }
    if (here !== '-') write(here)
    expect(await takeOver()).toEqual(here === after ? [] : [`content: ${PATH}`])
    expect(read()).toBe(textOf(after))
    expect(await takeOver()).toEqual([])
  })

  test('writes nothing outside of the folder, and nothing into one from git', async () => {
    await inForce('start', undefined, '../a.yml')
    await inForce('edit', 'new', '../a.yml')
    expect(await takeOver()).toEqual([])
    expect(read('../a.yml')).toBeUndefined()
    await inForce('edit', 'new')
    expect(await takeOver('git')).toEqual([])
    expect(await takeOver()).toEqual([`content: ${PATH}`])
  })
})
