import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from './main.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-packs-'))
  file = join(folder, 'caracal.yml')
  writeFileSync(file, '# Ours.\nflush_ms: 100\n')
  const detection = 'Detection:\n  - { Key: a, Condition: Equals, Value: 1 }\n'
  const rule = `AnalysisType: rule\nRuleID: R\nEnabled: true\nLogTypes: [Custom.A]\nSeverity: Low\n${detection}`
  writeFileSync(join(folder, 'r.yml'), rule)
  writeFileSync(
    join(folder, 'p.yml'),
    'AnalysisType: pack\nPackID: Own.Pack\nDisplayName: Our own\nPackDefinition: { IDs: [R, Gone] }\n',
  )
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs `caracal packs` with the folder's configuration and content. */
async function packs(...argv: string[]) {
  const said = { out: '', err: '' }
  const code = await runCli(['packs', ...argv, '--config', file, '--content', folder, '--data-dir', join(folder, 'none')], {
    out: (text) => {
      said.out += text
    },
    write: async (text) => {
      said.out += text
    },
    err: (text) => {
      said.err += text
    },
    isTty: false,
    columns: 80,
    hasColours: false,
    env: { XDG_CACHE_HOME: join(folder, 'cache') },
    stdin: Readable.from([]),
    onInterrupt: () => () => {},
  })
  return { code, ...said }
}

async function ownPack(): Promise<unknown> {
  const { out } = await packs('--json')
  const all = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string })
  return all.find(({ id }) => id === 'Own.Pack')
}

const OWN = {
  id: 'Own.Pack',
  name: 'Our own',
  on: true,
  optional: false,
  detections: 1,
  enabled: 1,
  running: 1,
  tables: 0,
  missing: ['Gone'],
}

describe('caracal packs', () => {
  test('lists packs, including shipped ones, and what they lack', async () => {
    const { code, out, err } = await packs()
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^PACK +NAME +STATE +DETECTIONS +ENABLED +RUNNING +TABLES +MISSING\n/)
    expect(out).toMatch(/^Caracal\.Zeek +Zeek +on /m)
    expect(out).toMatch(/^Own\.Pack +Our own +on +1 +1 +1 +0 +1$/m)
    expect(out).toContain('Own.Pack: no usable item has these of its ids: Gone')
    expect(await ownPack()).toEqual(OWN)
  })

  test('disable and enable change the configuration and report the effect', async () => {
    expect(await packs('disable', 'Own.Pack')).toEqual({
      code: 0,
      out: `Pack 'Own.Pack' is now off, in ${file}. 0 of its 1 detections run.\n`,
      err: '',
    })
    expect(readFileSync(file, 'utf8')).toBe('# Ours.\nflush_ms: 100\ndisabled_packs:\n  - Own.Pack\n')
    expect(await ownPack()).toEqual({ ...OWN, on: false, running: 0 })
    expect((await packs('disable', 'Own.Pack')).out).toBe("Pack 'Own.Pack' was off already. 0 of its 1 detections run.\n")
    expect(JSON.parse((await packs('enable', 'Own.Pack', '--json')).out)).toEqual(OWN)
    expect(readFileSync(file, 'utf8')).toBe('# Ours.\nflush_ms: 100\ndisabled_packs: []\n')
  })

  test('a pack that is off until it is enabled', async () => {
    expect((await packs()).out).toMatch(/^Caracal\.Spamhaus +Spamhaus DROP +off \(optional\) +0 +0 +0 +3 +0$/m)
    expect(await packs('enable', 'Caracal.Spamhaus')).toMatchObject({
      code: 0,
      out: `Pack 'Caracal.Spamhaus' is now on, in ${file}. Its 3 tables are used.\n`,
    })
    expect(readFileSync(file, 'utf8')).toBe('# Ours.\nflush_ms: 100\nenabled_packs:\n  - Caracal.Spamhaus\n')
    expect((await packs()).out).toMatch(/^Caracal\.Spamhaus +Spamhaus DROP +on /m)
    expect((await packs('disable', 'Caracal.Spamhaus')).out).toContain("'Caracal.Spamhaus' is now off")
    expect(readFileSync(file, 'utf8')).toBe('# Ours.\nflush_ms: 100\nenabled_packs: []\n')
  })

  test.each(['enable', 'disable'])('%s refuses a pack that does not exist and changes nothing', async (verb) => {
    const before = readFileSync(file, 'utf8')
    const { code, out, err } = await packs(verb, 'Own.Pakc')
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain("there is no pack 'Own.Pakc': did you mean 'Own.Pack'?")
    expect((await packs('enable', 'spamhaus')).err).toContain("did you mean 'Caracal.Spamhaus'?")
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  test('an unknown pack in the configuration is reported, and can be removed', async () => {
    writeFileSync(file, 'disabled_packs: [Old.Pack]\n')
    expect(await packs()).toMatchObject({ code: 0, err: expect.stringContaining("there is no pack 'Old.Pack'") })
    expect((await packs('enable', 'Old.Pack')).code).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe('disabled_packs: []\n')
  })
})
