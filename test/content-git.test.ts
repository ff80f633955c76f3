import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { GitServer } from './support/git-server.ts'

/** Content from a git repository, served by git's own server, while the whole product runs. */
const LIMIT_MS = 120_000
const folder = mkdtempSync(join(tmpdir(), 'caracal-git-'))
const server = new GitServer()
let caracal: Caracal

const rule = (severity: string, more = '') =>
  `AnalysisType: rule\nRuleID: Git.Rule\nEnabled: true\nLogTypes: [Custom.Git]\nSeverity: ${severity}\n${more}Detection:\n  - Key: n\n    Condition: Equals\n    Value: 7\n`

interface Reloaded {
  readonly outcome: string
  readonly pulls: readonly { readonly name: string; readonly commit: string | null; readonly problem: string | null }[]
}

async function get<T>(path: string): Promise<T> {
  return (await (await caracal.fetch(path)).json()) as T
}

async function reload(): Promise<Reloaded> {
  return (await (await caracal.fetch('/api/v1/content/reload', { method: 'POST' })).json()) as Reloaded
}

async function severity(): Promise<string | undefined> {
  const { results } = await get<{ results: { id: string; severity: string }[] }>('/api/v1/rules')
  return results.find(({ id }) => id === 'Git.Rule')?.severity
}

async function problems(): Promise<string[]> {
  const { system_problems } = await get<{ system_problems: { what: string; message: string }[] }>('/api/v1/health')
  return system_problems.filter(({ what }) => what.startsWith('Content')).map(({ message }) => message)
}

beforeAll(async () => {
  server.credentials = 'git:t0p-secret'
  await server.listen()
  const { url } = server
  await server.away()
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    python_children: 'shared',
    content: [{ git: url, path: 'detections', every: '10s', password: { env: 'GIT_PASSWORD' } }],
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Git'] }],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  mkdirSync(join(folder, 'content'))
  writeFileSync(join(folder, 'content/git.schema.yml'), schema)
  process.env['GIT_PASSWORD'] = 't0p-secret'
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
}, LIMIT_MS)

afterAll(async () => {
  await caracal.end('SIGKILL')
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const schema = 'schema: Custom.Git\nfields:\n  - name: n\n    type: bigint\n'
const name = () => `${server.url}#main:detections`

describe('content in git', { shuffle: false }, () => {
  test(
    'a start that needs what was never pulled ends with both reasons',
    async () => {
      rmSync(join(folder, 'content/git.schema.yml'))
      await expect(caracal.start()).rejects.toThrow(
        /source 'web' names the log type 'Custom\.Git'[\s\S]*It has never been pulled/,
      )
      writeFileSync(join(folder, 'content/git.schema.yml'), schema)
    },
    LIMIT_MS,
  )

  test(
    'a start without the network does without the repository, and takes it when it is there',
    async () => {
      await caracal.start()
      expect(await problems()).toEqual([expect.stringContaining('It has never been pulled')])
      expect(await severity()).toBeUndefined()
      const commit = server.commit({ 'detections/rule.yml': rule('Low'), 'README.md': 'x' })
      await server.listen()
      // On a timer.
      await expect.poll(problems, { timeout: 40_000 }).toEqual([])
      expect(await severity()).toBe('LOW')
      const { results } = await get<{ results: { cause: string; commits: Record<string, string> }[] }>(
        '/api/v1/content/history?limit=1',
      )
      expect(results).toMatchObject([{ cause: 'git', by: `${name()} at ${commit.slice(0, 12)}`, commits: { [name()]: commit } }])
    },
    LIMIT_MS,
  )

  test(
    'a reload pulls at once; a broken commit leaves what is in force, and a forced push repairs it',
    async () => {
      const good = server.commit({ 'detections/rule.yml': rule('High') })
      expect(await reload()).toMatchObject({ outcome: 'swapped', pulls: [{ name: name(), commit: good, problem: null }] })
      expect(await severity()).toBe('HIGH')
      const broken = server.commit({ 'detections/rule.yml': rule('High', 'LogTipes: [x]\n') })
      const { outcome, pulls } = await reload()
      expect([outcome, pulls[0]!.commit]).toEqual(['unchanged', good])
      expect(pulls[0]!.problem).toContain(`commit ${broken.slice(0, 12)} cannot be applied: `)
      expect(pulls[0]!.problem).toContain('LogTipes')
      expect(await problems()).toEqual([pulls[0]!.problem])
      expect(await severity()).toBe('HIGH')
      server.git('reset', '--quiet', '--hard', `${good}~1`)
      const other = server.commit({ 'detections/rule.yml': rule('Critical') })
      expect(await reload()).toMatchObject({ outcome: 'swapped', pulls: [{ commit: other, problem: null }] })
      expect([await severity(), await problems()]).toEqual(['CRITICAL', []])
      const undone = await caracal.fetch('/api/v1/content/undo', { method: 'POST' })
      expect([undone.status, await undone.text()]).toEqual([400, expect.stringContaining('come from git')])
    },
    LIMIT_MS,
  )

  test(
    'a ref that is gone and a network that is away keep what is in force, over a restart too',
    async () => {
      server.git('branch', '-m', 'main', 'trunk')
      const gone = await reload()
      expect(gone.pulls[0]!.problem).toContain("there is no branch and no tag 'main'; branches: trunk")
      server.git('branch', '-m', 'trunk', 'main')
      await server.away()
      expect(await caracal.end('SIGTERM')).toBe(0)
      await caracal.start()
      expect(await severity()).toBe('CRITICAL')
      await expect.poll(problems, { timeout: 40_000 }).toEqual([expect.stringMatching(/Commit [0-9a-f]{12} stays in force\.$/)])
      await server.listen()
      expect(await reload()).toMatchObject({ outcome: 'unchanged', pulls: [{ problem: null }] })
      expect(await problems()).toEqual([])
    },
    LIMIT_MS,
  )

  test('the password is nowhere', async () => {
    server.credentials = 'git:another'
    const { pulls } = await reload()
    expect(pulls[0]!.problem).toContain('is not up to date')
    expect(JSON.stringify([pulls, await problems(), caracal.output])).not.toMatch(/t0p-secret|Z2l0OnQwcC1zZWNyZXQ/)
    expect(readFileSync(join(folder, 'data/state.db')).includes('t0p-secret')).toBe(false)
  })
})
