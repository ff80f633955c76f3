import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { commitFiles, refuseUnfinished, workTreeOf } from './work-tree.ts'

let folder: string

/** Git as people use it, with the repository's configuration and hooks. */
const git = (...args: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=Ana', '-c', 'user.email=ana@example.com', ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
  }).trim()

const put = (path: string, text: string) => {
  writeFileSync(join(folder, path), text)
  return { file: join(folder, path), text: Buffer.from(text) }
}

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'caracal-work-tree-')))
  git('init', '--quiet', '--initial-branch=main')
  mkdirSync(join(folder, 'rules'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('commits the files with their author, and leaves other changes alone, staged or not', async () => {
  put('rules/a.yml', 'a: 1\n')
  put('notes.txt', 'one\n')
  put('staged.txt', 'one\n')
  git('add', '.')
  git('commit', '--quiet', '-m', 'first')
  put('notes.txt', 'two\n')
  put('staged.txt', 'two\n')
  git('add', 'staged.txt')
  put('untracked.txt', 'mine\n')
  const tree = (await workTreeOf(join(folder, 'rules')))!
  expect(tree).toEqual({ top: folder, gitDir: join(folder, '.git') })
  const files = [put('rules/a.yml', 'a: 2\n'), put('rules/b.py', 'x = 1\n')]
  const commit = await commitFiles(tree, { files, author: 'Zoë <root>\nCommitter: x', message: 'Change rule A\n\nWhy not' })
  expect(git('rev-parse', 'main')).toBe(commit)
  expect(git('log', '-1', '--format=%an|%ae|%cn|%s|%b')).toBe(
    'Zoë  root  Committer: x|caracal@localhost|Caracal|Change rule A|Why not',
  )
  expect(git('show', '--name-status', '--format=', 'HEAD').split('\n')).toEqual(['M\trules/a.yml', 'A\trules/b.py'])
  expect(
    git('status', '--porcelain')
      .split('\n')
      .map((line) => line.trim()),
  ).toEqual(['M notes.txt', 'M  staged.txt', '?? untracked.txt'])
  expect(git('diff', '--cached', '--name-only')).toBe('staged.txt')
  expect(await commitFiles(tree, { files, author: 'ana', message: 'again' })).toBeUndefined()
})

test('removes a file, begins an empty repository, and does not commit what git ignores', async () => {
  const tree = (await workTreeOf(folder))!
  put('.gitignore', 'ignored.yml\n')
  const [kept, ignored] = [put('rules/a.yml', 'a: 1\n'), put('ignored.yml', 'b: 1\n')]
  await commitFiles(tree, { files: [kept, ignored], author: 'ana', message: 'first' })
  expect(git('ls-tree', '-r', '--name-only', 'HEAD')).toBe('rules/a.yml')
  rmSync(kept.file)
  await commitFiles(tree, { files: [{ ...kept, text: undefined }], author: 'ana', message: 'gone' })
  expect(git('ls-tree', '-r', '--name-only', 'HEAD')).toBe('')
  expect(git('status', '--porcelain').split('\n')).toEqual(['?? .gitignore'])
  expect(await commitFiles(tree, { files: [ignored], author: 'ana', message: 'none' })).toBeUndefined()
})

test('nothing that the repository configures is run', async () => {
  const trap = join(folder, '.git/trap')
  writeFileSync(trap, `#!/bin/sh\ntouch ${folder}/.git/TRAPPED\ncat\n`)
  chmodSync(trap, 0o755)
  const hooks = ['pre-commit', 'commit-msg', 'post-commit', 'reference-transaction', 'post-index-change', 'pre-auto-gc']
  for (const hook of hooks) symlinkSync(trap, join(folder, '.git/hooks', hook))
  const settings = {
    'core.fsmonitor': trap,
    'core.hooksPath': join(folder, '.git/hooks'),
    'core.editor': trap,
    'core.pager': trap,
    'core.sshCommand': trap,
    'commit.gpgSign': 'true',
    'gpg.program': trap,
    'filter.evil.clean': trap,
    'filter.evil.smudge': trap,
    'filter.evil.required': 'true',
    'diff.external': trap,
    'alias.commit-tree': `!${trap}`,
  }
  for (const [key, value] of Object.entries(settings)) git('config', key, value)
  put('.gitattributes', '*.yml filter=evil diff=evil\n')
  rmSync(join(folder, '.git/TRAPPED'), { force: true })
  const tree = (await workTreeOf(folder))!
  await commitFiles(tree, { files: [put('rules/a.yml', 'a: 1\n')], author: 'ana', message: 'safe' })
  await commitFiles(tree, { files: [put('rules/a.yml', 'a: 2\n')], author: 'ana', message: 'safe again' })
  expect(existsSync(join(folder, '.git/TRAPPED'))).toBe(false)
  // The traps work: git itself steps into them.
  git('status')
  expect(existsSync(join(folder, '.git/TRAPPED'))).toBe(true)
})

test('a merge in progress and a detached HEAD are refused', async () => {
  const tree = (await workTreeOf(folder))!
  const file = put('rules/a.yml', 'a: 1\n')
  const commit = (await commitFiles(tree, { files: [file], author: 'ana', message: 'first' }))!
  refuseUnfinished(tree)
  writeFileSync(join(folder, '.git/MERGE_HEAD'), `${commit}\n`)
  expect(() => refuseUnfinished(tree)).toThrow(/a merge is in progress .* finish or abort it first/)
  rmSync(join(folder, '.git/MERGE_HEAD'))
  git('checkout', '--quiet', '--detach')
  await expect(commitFiles(tree, { files: [put('rules/a.yml', 'a: 2\n')], author: 'ana', message: 'x' })).rejects.toThrow(
    'detached HEAD',
  )
  expect(git('rev-parse', 'HEAD')).toBe(commit)
})

test('a folder outside of any repository has none', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'caracal-no-tree-'))
  expect(await workTreeOf(outside)).toBeUndefined()
  rmSync(outside, { recursive: true })
})
