import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { ConfigError } from '../util/errors.ts'
import { environmentSettings, mergeSettings, readSettings, type TestSettings } from './settings.ts'

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function read(text: string): TestSettings {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-settings-'))
  made.push(folder)
  writeFileSync(join(folder, '.panther_settings.yml'), text)
  return mergeSettings(readSettings(folder))
}

describe('.panther_settings.yml', () => {
  const cases: readonly { readonly text: string; readonly says: TestSettings }[] = [
    { text: '', says: {} },
    { text: 'out: x\naws_profile: y\n', says: {} },
    { text: 'api_token: secret\nout: x\nworkers: 4\n', says: { withoutEffect: ['workers', 'api_token'] } },
    { text: 'ignore_extra_keys: true\n', says: { ignoreExtraKeys: true } },
    {
      text: 'path: rules\nminimum_tests: 2\nskip_disabled_tests: true\n',
      says: { path: 'rules', minimumTests: 2, skipDisabledTests: true },
    },
    {
      text: 'ignore_files: a.yml\navailable_destination: [x, y]\n',
      says: { ignoreFiles: ['a.yml'], availableDestination: ['x', 'y'] },
    },
    { text: 'filter:\n  Enabled: true\n  Severity: [High, Low]\n', says: { filter: ['Enabled=true', 'Severity=High,Low'] } },
    { text: 'filter: Severity=High\n', says: { filter: ['Severity=High'] } },
  ]
  test.each(cases)('$text', ({ text, says }) => expect(read(text)).toEqual(says))

  test.each(['minimum_tests: x\n', 'path: [a]\n', ': : :\n'])('%j is refused', (text) => {
    expect(() => read(text)).toThrow(ConfigError)
  })

  test('a missing file means no settings', () => expect(readSettings(join(tmpdir(), 'caracal-no-such-folder'))).toEqual({}))
})

test('variables contain lists separated by white space, and numbers are checked', () => {
  const env = { PANTHER_FILTER: 'A=b  C=d', PANTHER_SKIP_DISABLED_TESTS: 'True', PANTHER_PATH: '', PANTHER_MINIMUM_TESTS: '3' }
  expect(mergeSettings(environmentSettings(env))).toEqual({ filter: ['A=b', 'C=d'], skipDisabledTests: true, minimumTests: 3 })
  expect(() => environmentSettings({ PANTHER_MINIMUM_TESTS: '-1' })).toThrow(ConfigError)
})

test('the first source that sets an option takes precedence', () => {
  expect(
    mergeSettings(
      { path: 'a', skipDisabledTests: false },
      { path: 'b', minimumTests: 0, skipDisabledTests: true },
      { minimumTests: 5 },
    ),
  ).toEqual({
    path: 'a',
    minimumTests: 0,
    skipDisabledTests: false,
  })
})
