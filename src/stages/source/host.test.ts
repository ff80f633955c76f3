import { beforeEach, expect, test, vi } from 'vitest'
import { configSchema } from '../../config/config.ts'
import { sendNothing } from '../../util/http/send.ts'
import { host } from './host.ts'
import { hasJournal } from './journald/journald.ts'

vi.mock('./journald/journald.ts', async (original) => ({ ...(await original<object>()), hasJournal: vi.fn<() => boolean>() }))
beforeEach(() => {
  vi.mocked(hasJournal).mockReturnValue(true)
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
  vi.mocked(hasJournal).mockReturnValue(isThere)
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
