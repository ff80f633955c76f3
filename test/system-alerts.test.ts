import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { FlakyReceiver } from './support/receiver.ts'
import { until } from './support/until.ts'

/** The whole program with several problems, and the alerts it sends to its webhook. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-system-'))
const content = join(folder, 'content')
const receiver = new FlakyReceiver(() => 1)
const quiet = new FlakyReceiver(() => 1)
let caracal: Caracal

const broken = (n: number) => ({
  [`broken${n}.yml`]: `AnalysisType: rule\nRuleID: Broken.${n}\nFilename: broken${n}.py\nEnabled: true\nLogTypes: [Custom.Auth]\nSeverity: Low\n`,
  [`broken${n}.py`]: 'import no_such_module\n\n\ndef rule(event):\n    return True\n',
})

const files: Record<string, string> = {
  ...broken(1),
  ...broken(2),
  'list.yml': `AnalysisType: lookup_table
LookupName: bad_list
Enabled: true
Provider: { type: file, path: ./list.csv }
LogTypeMap: { PrimaryKey: ip }
`,
  'list.csv': 'nothing,here\nis,an address\n',
}

interface Body {
  readonly id: string
  readonly type: string
  readonly severity: string
  readonly title: string
  readonly runbook: string
  readonly alertContext: {
    readonly covers: string[]
    readonly problems: string[]
    readonly evidence?: { reason: string; excerpt: string }[][]
  }
}

const heard = (by = receiver) => [...by.bodies.values()] as unknown as Body[]

async function health(): Promise<{ what: string; key: string }[]> {
  const answer = (await (await caracal.fetch('/api/v1/health')).json()) as { system_problems: { what: string; key: string }[] }
  return answer.system_problems
}

function cli(...args: string[]): string {
  const run = spawnSync(process.execPath, [join(packageRoot(), 'bin/caracal.js'), ...args], { cwd: folder, encoding: 'utf8' })
  expect(run.status, run.stderr).toBe(0)
  return run.stdout
}

beforeAll(async () => {
  mkdirSync(content)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(content, name), text)
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    sources: [{ type: 'http', id: 'web', log_types: ['Custom.Auth'] }],
    destinations: [
      { type: 'webhook', id: 'soc', url: `http://127.0.0.1:${await receiver.listen()}/` },
      { type: 'webhook', id: 'chat', url: `http://127.0.0.1:${await quiet.listen()}/`, system: false },
    ],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
})
afterAll(async () => {
  await caracal.end('SIGKILL')
  await receiver.close()
  await quiet.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('system problems of the program reach its webhook', { shuffle: false }, () => {
  test('rules that do not load are one alert, which names them all', async () => {
    const alert = await until(() => heard().find(({ id }) => id === 'Caracal.RuleOff'))
    expect(alert).toMatchObject({ type: 'SYSTEM', severity: 'HIGH', title: 'Rules are off: Broken.1, Broken.2' })
    expect(alert.alertContext.covers).toEqual(['Broken.1', 'Broken.2'])
    expect(alert.alertContext.problems[0]).toContain('no_such_module')
    expect(JSON.stringify(alert)).not.toContain(content)
    const rules = await (await caracal.fetch('/api/v1/rules')).text()
    expect(rules).toContain('no_such_module')
    expect(rules).not.toContain(content)
  })

  test('a table whose content cannot be used is one alert', async () => {
    const alert = await until(() => heard().find(({ id }) => id === 'Caracal.TableRefused'))
    expect(alert).toMatchObject({ type: 'SYSTEM', severity: 'MEDIUM' })
    expect(alert.alertContext.covers).toEqual(['bad_list'])
  })

  test('a source that sends garbage is one alert with share and samples, its bytes harmless', async () => {
    const garbage = Buffer.concat([
      Buffer.from('{"host":"web1","ident":"sshd","message":"good"}\n'),
      Buffer.from('\u001b[31mred\u202e no log\n'),
      Buffer.from([0, 1, 0xff, 0xfe, 0x1b, 10]),
      Buffer.from('{"host":\n'),
    ])
    expect((await caracal.fetch('/ingest/web', { method: 'POST', body: garbage })).status).toBe(202)
    const alert = await until(() => heard().find(({ id }) => id === 'Caracal.DeadLetters'))
    expect(alert).toMatchObject({ type: 'SYSTEM', severity: 'HIGH' })
    expect(alert.title).toMatch(/^3 of 4 records of source web within the last hour \(75 %\) became dead letters: /)
    const [samples] = alert.alertContext.evidence!
    expect(samples!.map(({ reason }) => reason).sort()).toEqual(['invalid_json', 'invalid_utf8', 'not_a_log'])
    const excerpts = samples!.map(({ excerpt }) => excerpt)
    expect(excerpts).toContain('\\u{1b}[31mred\\u{202e} no log')
    expect(excerpts).toContain('\\x00\\x01\\xff\\xfe\\x1b')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is there is what is tested.
    expect(JSON.stringify(alert)).not.toMatch(/[\u0000-\u001f\u202e]|\\u00[01]|\\u202e/)
  })

  test('the alerts are listed and shown, and health has the same problems', async () => {
    const shown = cli('alerts', 'list', '--rule', 'Caracal.DeadLetters')
    const id = /^([0-9a-f]{8}) /m.exec(shown)![1]!
    const text = cli('alerts', 'show', id)
    expect(text).toContain('a problem of Caracal itself')
    expect(text).toContain('Compare the samples and their reasons')
    expect(text).not.toContain('All its events')
    const events = (await (await caracal.fetch(`/api/v1/alerts/${id}/events`)).json()) as { results: unknown[] }
    expect(events.results).toEqual([])
    expect((await health()).map(({ what, key }) => `${what} ${key}`).sort()).toEqual([
      'DeadLetters web',
      'RuleOff Broken.1',
      'RuleOff Broken.2',
      'TableRefused bad_list',
    ])
  })

  test('the same causes raise no further alert, not even after a restart; a destination can leave them out', async () => {
    const before = heard().length
    expect(await caracal.end('SIGTERM')).toBe(0)
    // A new cause: once it has an alert, all others have been processed.
    writeFileSync(join(content, 'not-yaml.yml'), 'AnalysisType: rule\nRuleID: [')
    await caracal.start()
    const alert = await until(() => heard().find(({ id }) => id === 'Caracal.ContentBroken'))
    expect(alert.title).toContain('not-yaml.yml')
    expect(alert.title).not.toContain(content)
    const list = (await (await caracal.fetch('/api/v1/alerts')).json()) as { results: { rule_id: string }[] }
    expect(list.results.map(({ rule_id }) => rule_id).sort()).toEqual([
      'Caracal.ContentBroken',
      'Caracal.DeadLetters',
      'Caracal.RuleOff',
      'Caracal.TableRefused',
    ])
    expect(heard().length).toBe(before + 1)
    expect(heard(quiet)).toEqual([])
  })

  test('a content file that is fixed is gone from health after the next start', async () => {
    expect(await caracal.end('SIGTERM')).toBe(0)
    for (const n of [1, 2]) writeFileSync(join(content, `broken${n}.py`), 'def rule(event):\n    return False\n')
    writeFileSync(join(content, 'list.csv'), 'ip\n192.0.2.1\n')
    rmSync(join(content, 'not-yaml.yml'))
    await caracal.start()
    // Problems of the last hour persist over a restart.
    await until(async () => ((await health()).every(({ what }) => what === 'DeadLetters') ? true : undefined))
    expect((await health()).map(({ key }) => key)).toEqual(['web'])
  })
})
