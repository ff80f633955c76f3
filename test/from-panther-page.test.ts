import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { runWith } from './support/cli.ts'

/** docs/from-panther.md, on a repository laid out as Panther's is. */
const page = readFileSync(join(packageRoot(), 'docs/from-panther.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'caracal-from-panther-'))
const home = process.cwd()

const FILES: Readonly<Record<string, string>> = {
  'rules/ssh/root_login.yml': `AnalysisType: rule
RuleID: Mine.RootLogin
DisplayName: Root logs in
Filename: root_login.py
Enabled: true
LogTypes: [Syslog.RFC3164]
Severity: High
Tests:
  - { Name: root, ExpectedResult: true, Log: { message: "Accepted password for root from 192.0.2.1 port 22 ssh2" } }
  - { Name: ana, ExpectedResult: false, Log: { message: "Accepted password for ana from 192.0.2.1 port 22 ssh2" } }
`,
  'rules/ssh/root_login.py':
    'from ssh_helpers import is_login\n\n\ndef rule(event):\n    return is_login(event.get("message", ""), "root")\n',
  'global_helpers/ssh_helpers.yml': 'AnalysisType: global\nGlobalID: ssh_helpers\nFilename: ssh_helpers.py\n',
  'global_helpers/ssh_helpers.py': 'def is_login(message, user):\n    return f"Accepted password for {user} " in message\n',
  'rules/net.yml':
    'AnalysisType: rule\nRuleID: Mine.Net\nFilename: net.py\nEnabled: true\nLogTypes: [Syslog.RFC3164]\nSeverity: Low\n',
  'rules/net.py': 'import requests\n\n\ndef rule(event):\n    return requests.get("https://example.com/").ok\n',
}

const caracal = (argv: readonly string[]) => runWith({ XDG_CACHE_HOME: join(tmpdir(), 'caracal-test-cache') }, argv, 120)

beforeAll(() => {
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, 'detections', path)), { recursive: true })
    writeFileSync(join(folder, 'detections', path), text)
  }
  writeFileSync(
    join(folder, 'auth.log'),
    'Apr 19 10:00:00 web sshd[1]: Accepted password for root from 192.0.2.1 port 22 ssh2\nApr 19 10:00:01 web sshd[1]: Accepted password for ana from 192.0.2.1 port 22 ssh2\n',
  )
  process.chdir(folder)
})
afterAll(() => {
  process.chdir(home)
  rmSync(folder, { recursive: true, force: true })
})

const calls = [...page.matchAll(/^ {4}caracal (.+)$/gm)].map(([, call]) => call!.split(' '))

test('the calls of the page do what it says, up excepted, which serves until it is ended', async () => {
  expect(calls.map(([command]) => command)).toEqual(['test', 'validate', 'run', 'up'])
  const [tested, validated, run] = await Promise.all(calls.slice(0, 3).map(caracal))
  expect([tested!.code, tested!.out]).toEqual([0, expect.stringContaining('Mine.RootLogin')])
  expect(tested!.out).toMatch(/PASS.*root/)
  expect(tested!.out).toMatch(/PASS.*ana/)
  expect([validated!.code, validated!.out]).toEqual([0, expect.stringMatching(/: 0 problems/)])
  const matches = run!.out.trim().split('\n')
  expect(matches).toEqual([expect.stringContaining('Mine.RootLogin')])
  // A rule that calls the network fails, and says so; it is not a rule that does not match.
  expect(run!.err).toMatch(/rule Mine\.Net: .*'requests\.get' was called/)
})

test('the options that the page names exist, and so do the commands and pages', async () => {
  const { out } = await caracal(['test', '--help'])
  for (const [, option] of page.matchAll(/`(--[\w-]+)`/g)) if (option !== '--content') expect(out).toContain(option)
  const help = (await caracal(['--help'])).out
  for (const [, command] of page.matchAll(/`caracal ([\w-]+)/g)) expect(help).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'))
  for (const [, file] of page.matchAll(/\]\(([\w-]+\.md)\)/g)) expect(existsSync(join(packageRoot(), 'docs', file!))).toBe(true)
})
