import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { destinations } from '../stages/deliver/index.ts'
import { loadConfig } from './load.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function refusal(yaml: string): string[] {
  const file = join(folder, 'caracal.yml')
  writeFileSync(file, yaml)
  try {
    loadConfig(file, {})
  } catch (error) {
    return (error as Error).message.replaceAll(file, 'FILE').split('\n')
  }
  return []
}

test('all errors are listed at once, each with its place, the value and what is allowed', () => {
  const yaml = `listen: abc
flush_ms: 3
destinations:
  - { type: webhook, id: soc, url: "secret" }
  - { type: webhok, id: soc2 }
  - { type: stdout }
sources:
  - { type: file, id: a b, paths: x }
`
  expect(refusal(yaml)).toEqual([
    'FILE:1 at listen: "abc": address:port, as in 127.0.0.1:4848',
    'FILE:8 at sources.0.id: "a b": lower-case letters, digits, - and _, at most 64',
    'FILE:8 at sources.0.paths: "x": expected array, received string',
    'FILE:4 at destinations.0.url: Invalid URL',
    `FILE:5 at destinations.1.type: "webhok": unknown type. Known: ${destinations.map(({ type }) => type).join(', ')}`,
    'FILE:6 at destinations.2.id: missing: expected string',
    'FILE:2 at flush_ms: 3: Too small: expected number to be >=50',
  ])
})

test('the list of errors is bounded', () => {
  const sources = Array.from({ length: 25 }, () => '  - { type: tape }').join('\n')
  const lines = refusal(`sources:\n${sources}\n`)
  expect(lines).toHaveLength(21)
  expect(lines[20]).toBe('… and 5 more')
})

test('content is a folder or a repository, and a password is neither in its URL nor sent in the clear', () => {
  const yaml = `content:
  - ./detections
  - git: https://git.example.com/a.git
  - { git: https://git.example.com/a.git, ref: release/2, path: rules/, every: 1h, username: bot, password: { env: GIT } }
  - { git: http://127.0.0.1:3000/a.git, password: { file: /run/git } }
`
  const file = join(folder, 'caracal.yml')
  writeFileSync(file, yaml)
  expect(loadConfig(file, {}).content).toEqual([
    './detections',
    { git: 'https://git.example.com/a.git', ref: 'main', every: 300_000, username: 'git' },
    {
      git: 'https://git.example.com/a.git',
      ref: 'release/2',
      path: 'rules',
      every: 3_600_000,
      username: 'bot',
      password: { env: 'GIT' },
    },
    { git: 'http://127.0.0.1:3000/a.git', ref: 'main', every: 300_000, username: 'git', password: { file: '/run/git' } },
  ])
  const wrong = `content:
  - { git: "https://bot:hunter2@git.example.com/a.git" }
  - { git: ssh://git@git.example.com/a.git }
  - { git: file:///srv/a.git }
  - { git: https://git.example.com/a.git, ref: --upload-pack=x }
  - { git: https://git.example.com/a.git, path: ../x }
  - { git: https://git.example.com/a.git, every: 1s }
  - { git: https://git.example.com/a.git, branch: main }
  - { git: http://git.example.com/a.git, password: { env: GIT } }
  - 7
  - { git: "::", password: { env: GIT } }
  - { git: https://git.example.com/a.git, username: "a:b", password: hunter2 }
`
  const lines = refusal(wrong)
  expect(lines.join('\n')).not.toContain('hunter2')
  expect(lines).toEqual([
    expect.stringMatching(/^FILE:2 at content\.0\.git: a user name or password does not belong in the URL/),
    expect.stringMatching(/^FILE:3 at content\.1\.git: .*https:\/\//),
    expect.stringMatching(/^FILE:4 at content\.2\.git: .*https:\/\//),
    expect.stringMatching(/^FILE:5 at content\.3\.ref: the name of a branch or a tag/),
    expect.stringMatching(/^FILE:6 at content\.4\.path: a folder inside the repository/),
    expect.stringMatching(/^FILE:7 at content\.5\.every: between 10s and 24h/),
    expect.stringMatching(/^FILE:8 at content\.6\.branch: Unrecognized key: "branch"/),
    expect.stringMatching(/^FILE:9 at content\.7\.git: a password is only sent over https/),
    expect.stringMatching(/^FILE:10 at content\.8: a folder, or a block with the key git/),
    expect.stringMatching(/^FILE:11 at content\.9\.git: .*https:\/\//),
    expect.stringMatching(/^FILE:12 at content\.10\.username: a user name, without a colon/),
    expect.stringMatching(/^FILE:12 at content\.10\.password: a secret is not written in the configuration: use `\{env: NAME\}`/),
  ])
})
