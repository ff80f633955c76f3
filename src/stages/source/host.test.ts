import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { sendNothing } from '../../util/http/send.ts'

const JOURNALD = './journald/journald.ts'
const hasJournal = vi.fn<() => boolean>()
let host: typeof import('./host.ts').host
let configSchema: typeof import('../../config/config.ts').configSchema

// Test files share the modules that are loaded: those that see another journal are loaded for this file alone.
beforeAll(async () => {
  vi.resetModules()
  vi.doMock(JOURNALD, async (original) => ({ ...(await original<object>()), hasJournal }))
  host = (await import('./host.ts')).host
  configSchema = (await import('../../config/config.ts')).configSchema
})
afterAll(() => {
  vi.doUnmock(JOURNALD)
  vi.resetModules()
})
beforeEach(() => {
  hasJournal.mockReturnValue(true)
})

test('where there is a journal, a source for it comes with the host, and its configuration is accepted', () => {
  const brought = host.brings!(host.config.parse({ id: 'web1', label: 'Web server' }))
  expect(brought).toEqual([expect.objectContaining({ type: 'journald', id: 'web1-journal', label: 'Web server' })])
  expect(brought[0]).toHaveProperty('identifiers', expect.arrayContaining(['sudo', 'sshd', 'systemd', 'useradd']))
  expect(configSchema.parse({ sources: brought }).sources[0]).toMatchObject({ since: 'now', units: [] })
})

test('a long id is shortened to what an id may have', () => {
  const brought = host.brings!(host.config.parse({ id: 'x'.repeat(64) }))
  expect(configSchema.safeParse({ sources: brought }).success).toBe(true)
})

test.each([
  ['there is no journal', false, true, 1],
  ['it is not wanted', true, false, 0],
])('no source for the journal comes where %s', async (_, isThere, journal, notices) => {
  hasJournal.mockReturnValue(isThere)
  const config = host.config.parse({ id: 'host', journal })
  expect(host.brings!(config)).toEqual([])
  const intake = await host.pushes!(config, {
    append: async () => {},
    now: () => 0,
    authorised: () => false,
    send: sendNothing,
    secret: () => '',
  })
  const said = intake.status!().notices.filter((notice) => notice.includes('there is no systemd journal here'))
  expect(said).toHaveLength(notices)
  expect(intake.status!().problems).toEqual([])
  await intake.close()
})
