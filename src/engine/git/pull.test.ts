import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { GitServer } from '../../../test/support/git-server.ts'
import { gitContent } from '../../config/content.ts'
import { pull } from './pull.ts'

let server: GitServer
let folder: string
beforeEach(async () => {
  server = new GitServer()
  folder = mkdtempSync(join(tmpdir(), 'caracal-pull-'))
  await server.listen()
})
afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Ask {
  readonly path?: string
  readonly known?: string
  readonly password?: string
  readonly signal?: AbortSignal
}

function ask(
  more: object = {},
  { path = process.env['PATH'] ?? '', known, password, signal = new AbortController().signal }: Ask = {},
): Promise<string> {
  const entry = gitContent.parse({ git: server.url, ...more })
  const http = { proxy: { except: [] }, allowPrivate: [] }
  return pull(entry, { folder, known, access: { http, path, password }, signal })
}

/** Paths of a commit's files. */
const files = (commit: string) =>
  readdirSync(join(folder, commit), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, commit).length + 1))
    .sort()

test('a commit’s files are put into a folder once', async () => {
  const first = server.commit({ 'rules/a.yml': 'one\n', 'b.py': '\u00fc\n', 'empty.yml': '' })
  expect(await ask()).toBe(first)
  expect(files(first)).toEqual(['b.py', 'empty.yml', 'rules/a.yml'])
  expect(readFileSync(join(folder, first, 'b.py'), 'utf8')).toBe('\u00fc\n')
  const asked = server.requests
  expect(await ask({}, { known: first })).toBe(first)
  expect(server.requests - asked).toBeLessThan(3)
  // Nothing is left of the pull but the commit.
  expect(readdirSync(folder)).toEqual([first])
})

test('a ref that was moved back, a tag, and a folder of the repository', async () => {
  const first = server.commit({ 'rules/a.yml': 'one\n' })
  server.git('tag', '-a', 'v1', '-m', 'v1')
  const second = server.commit({ 'rules/a.yml': 'two\n', 'rules/deep/b.yml': 'b\n' })
  expect(await ask()).toBe(second)
  server.git('reset', '--quiet', '--hard', first)
  const other = server.commit({ 'rules/a.yml': 'three\n' })
  expect(await ask({}, { known: second })).toBe(other)
  expect(await ask({ ref: 'v1', path: 'rules' })).toBe(first)
  expect(files(first)).toEqual(['a.yml'])
})

test('everything but plain files is left out: links, submodules, hidden files', async () => {
  server.write({
    'a.yml': 'a\n',
    '.github/workflows/x.yml': 'x\n',
    'deep/.hidden/y.yml': 'y\n',
    '.gitattributes': '*.yml filter=evil\n',
  })
  symlinkSync('/etc/passwd', join(server.work, 'link.yml'))
  symlinkSync('/etc', join(server.work, 'etc'))
  const head = server.commit()
  server.git('update-index', '--add', '--cacheinfo', `160000,${head},sub`)
  server.git('commit', '--quiet', '-m', 'submodule')
  const commit = server.git('rev-parse', 'HEAD')
  expect(await ask()).toBe(commit)
  expect(files(commit)).toEqual(['a.yml'])
})

test.each([
  { what: 'a ref that is not there', more: { ref: 'prod' }, says: "there is no branch and no tag 'prod'; branches: dev, main" },
  { what: 'a folder that is not there', more: { path: 'nope' }, says: /^commit [0-9a-f]{12} has no folder 'nope'$/ },
  { what: 'a file in the place of the folder', more: { path: 'a.yml' }, says: "has no folder 'a.yml'" },
])('$what is reported', async ({ more, says }) => {
  server.commit({ 'a.yml': 'a\n' })
  server.git('branch', 'dev')
  await expect(ask(more)).rejects.toThrow(says)
  expect(readdirSync(folder)).toEqual([])
})

test('a repository that does not exist or is unreachable is reported with git’s message', async () => {
  server.commit()
  await expect(ask({ git: server.url.replace('rules', 'other') })).rejects.toThrow('not found')
  await server.away()
  await expect(ask()).rejects.toThrow(/connect/i)
})

/** A commit with a tree that git itself would not create: its entries, each a file or a folder. */
function strange(entries: readonly (readonly [name: string, of: 'file' | 'folder'])[]): string {
  const made = (type: string, content: Buffer) => {
    const file = join(server.folder, 'object')
    writeFileSync(file, content)
    return server.git('hash-object', '-t', type, '-w', '--literally', file)
  }
  const tree = (files: readonly (readonly [mode: string, name: string, id: string])[]) =>
    made('tree', Buffer.concat(files.map(([mode, name, id]) => Buffer.from(`${mode} ${name}\0${latin1(id)}`, 'latin1'))))
  const latin1 = (id: string) => Buffer.from(id, 'hex').toString('latin1')
  const file = made('blob', Buffer.from('x\n'))
  const folder = tree([['100644', 'x.yml', file]])
  const top = tree(entries.map(([name, of]) => (of === 'file' ? ['100644', name, file] : ['40000', name, folder])))
  const commit = server.git('commit-tree', top, '-m', 'strange')
  server.git('update-ref', 'refs/heads/main', commit)
  return commit
}

test('names that lead elsewhere, or that are unreadable, are left out', async () => {
  const up = strange([
    ['../../up.yml', 'file'],
    [join(server.folder, 'absolute.yml'), 'file'],
    ['..', 'folder'],
    ['.git', 'folder'],
    ['\u001b[31mred\n.yml', 'file'],
    ['ok.yml', 'file'],
  ])
  expect(await ask()).toBe(up)
  expect(files(up)).toEqual(['ok.yml'])
  expect(readdirSync(folder)).toEqual([up])
})

test.each([
  {
    what: 'a name of a file and of a folder',
    entries: [['a', 'file'] as const, ['a', 'folder'] as const],
    says: "the file 'a/x.yml'",
  },
  { what: 'a name that is too long', entries: [['n'.repeat(300), 'file'] as const], says: 'cannot be written (ENAMETOOLONG)' },
])('$what is reported without the folder that it is written to', async ({ entries, says }) => {
  strange(entries)
  const message = await ask().catch((error: Error) => error.message)
  expect(message).toContain(says)
  expect(message).not.toContain(folder)
  expect(readdirSync(folder)).toEqual([])
})

test('a password is sent, and is in no message', async () => {
  const commit = server.commit({ 'a.yml': 'a\n' })
  server.credentials = 'bot:s3cret pass'
  await expect(ask()).rejects.toThrow('the repository denies access: check `username` and `password`')
  const wrong = await ask({ username: 'bot' }, { password: 'wr0ng' }).catch((error: Error) => error.message)
  expect(wrong).toContain('denies access')
  expect(wrong).not.toContain('wr0ng')
  expect(await ask({ username: 'bot' }, { password: 's3cret pass' })).toBe(commit)
})

test('a redirect is not followed, so that the password stays with its host', async () => {
  server.commit({ 'a.yml': 'a\n' })
  server.credentials = 'git:s3cret'
  const from = createServer((request, response) => {
    const path = request.url ?? ''
    response.writeHead(302, { location: server.url.replace('127.0.0.1', 'localhost').replace('/rules/.git', path) }).end()
  })
  await new Promise<void>((resolve) => from.listen(0, '127.0.0.1', resolve))
  try {
    const url = `http://127.0.0.1:${(from.address() as AddressInfo).port}/rules/.git`
    await expect(ask({ git: url }, { password: 's3cret' })).rejects.toThrow('set `git` to the URL of the repository itself')
    expect(server.requests).toBe(0)
  } finally {
    from.close()
  }
})

test('settings and hooks of the user and of the repository have no effect', async () => {
  const mark = join(server.folder, 'mark')
  const commit = server.commit({ 'a.yml': 'a\n' })
  const home = join(server.folder, 'home')
  server.write({ '../home/.gitconfig': `[core]\n\tfsmonitor = "touch ${mark}"\n[alias]\n\tx = "!touch ${mark}"\n` })
  const before = process.env['HOME']
  process.env['HOME'] = home
  try {
    expect(await ask()).toBe(commit)
  } finally {
    process.env['HOME'] = before
  }
  expect(existsSync(mark)).toBe(false)
  await expect(ask({ git: server.url.replace('http:', 'https:') })).rejects.toThrow()
})

test('an interrupted pull leaves no files', async () => {
  server.commit({ 'a.yml': 'a\n' })
  const ending = new AbortController()
  const pulled = ask({}, { signal: ending.signal })
  ending.abort(new Error('it took too long'))
  await expect(pulled).rejects.toThrow('it took too long')
  expect(readdirSync(folder)).toEqual([])
})

test('content above the limits is refused, with what to do', async () => {
  server.write({ 'big.csv': 'x'.repeat(65 * 1024 * 1024), 'rules/a.yml': 'a\n' })
  const commit = server.commit()
  await expect(ask()).rejects.toThrow('set `path` to the folder that contains the content')
  expect(await ask({ path: 'rules' })).toBe(commit)
})

test('a missing git is reported', async () => {
  await expect(ask({}, { path: folder })).rejects.toThrow('git is not installed')
})
