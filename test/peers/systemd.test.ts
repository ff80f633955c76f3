import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runWith } from '../support/cli.ts'
import { program } from './support/installed.ts'

const analyze = program('systemd-analyze')

describe.skipIf(analyze.why)(`the unit of caracal service install${analyze.why ? ` (${analyze.why})` : ''}`, () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'caracal unit-'))
    mkdirSync(join(folder, '100% $HOME'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  async function unit(config: object): Promise<string> {
    const file = join(folder, '100% $HOME/caracal.yml')
    writeFileSync(file, JSON.stringify(config))
    const printed = await runWith({}, [
      'service',
      'install',
      '--print',
      '--manager',
      'systemd',
      '--user',
      'root',
      '--config',
      file,
    ])
    expect(printed).toMatchObject({ code: 0, err: expect.stringContaining('Next, as root:') })
    const path = join(folder, 'caracal.service')
    writeFileSync(path, printed.out)
    return path
  }

  const call = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(analyze.path!, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })
    return { status, text: `${stdout}${stderr}` }
  }

  test.each([
    ['the defaults', {}],
    [
      'a low port, a host source and a file',
      {
        sources: [
          { type: 'syslog', id: 's', listen: '0.0.0.0:514' },
          { type: 'host', id: 'h' },
        ],
      },
    ],
  ])('with %s is valid, in a folder whose name has blanks, percent and dollar signs', async (_, config) => {
    const { status, text } = call('verify', '--man=no', await unit(config))
    expect(text.split('\n').filter((line) => line.includes('caracal'))).toEqual([])
    expect(status).toBe(0)
  })

  test('is rated by systemd as exposing little', async () => {
    const { text } = call('security', '--offline=true', await unit({}))
    const [, level] = /Overall exposure level for .*: ([\d.]+)/.exec(text) ?? []
    expect(Number(level)).toBeLessThan(2.5)
  })
})
