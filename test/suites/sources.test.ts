import { describe, expect, test } from 'vitest'
import { file } from '../../src/stages/source/file.ts'
import { http } from '../../src/stages/source/http.ts'
import type { BatchSource, Intake, IntakeDeps } from '../../src/stages/source/source.ts'
import { failedBy, testSuite } from './behaviours.ts'
import { type AnySource, sourceSubject, sourceSuite } from './sources.ts'
import { tcpLines } from './tcp-lines.fixture.ts'

testSuite(sourceSuite)
testSuite({ ...sourceSuite, registry: [tcpLines] })

/** The file source, changed where it is opened. */
function changedFile(change: (source: BatchSource) => void, forget = false): AnySource {
  const open = (config: never, deps: { cursors: readonly unknown[] }) => {
    const source = file.seekable!(config, (forget ? { ...deps, cursors: [] } : deps) as never)
    change(source)
    return source
  }
  return { ...file, seekable: open }
}

/** The HTTP source, changed where it begins. */
function changedHttp(change: (deps: IntakeDeps) => IntakeDeps, more: (intake: Intake) => void = () => {}): AnySource {
  const begin = async (config: never, deps: IntakeDeps) => {
    const intake = await http.pushes!(config, change(deps))
    more(intake)
    return intake
  }
  return { ...http, pushes: begin }
}

const never = () => new Promise<never>(() => {})

describe('the suite fails', () => {
  test.each<[string, AnySource, string]>([
    ['ignores its cursors', changedFile(() => {}, true), 'goes on behind its cursors after a restart'],
    [
      'does not end when it is closed',
      changedFile((source) => {
        const close = source.close.bind(source)
        source.close = () => close().then(never)
      }),
      'stops promptly when it is closed, with data left unread',
    ],
    [
      'waits for data',
      changedFile((source) => {
        const next = source.next.bind(source)
        source.next = async () => (await next()) ?? never()
      }),
      'does not wait for data, and says what is left',
    ],
    [
      'reads what comes later into an extent',
      changedFile((source) => {
        const read = source.read.bind(source)
        source.read = async (extent) => read({ ...extent, from: 0 })
      }),
      'reads what there is, once and in order',
    ],
    [
      'acknowledges first',
      changedHttp((deps) => ({ ...deps, append: async (body, entry) => void deps.append(body, entry).catch(() => {}) })),
      'acknowledges after the records are on disk, never before',
    ],
    [
      'drops what finds no room',
      changedHttp((deps) => ({ ...deps, append: (body, entry) => deps.append(body, entry).catch(() => {}) })),
      'loses and doubles nothing for a sender that tries again while the spool is full',
    ],
    [
      'sends everything twice',
      changedHttp((deps) => ({
        ...deps,
        append: async (body, entry) => {
          await deps.append(body, entry)
          await deps.append(body, entry)
        },
      })),
      'puts every record into the spool, once and in order',
    ],
    ['can do nothing', { type: 'idle' }, 'is seekable or pushes, and listens only where it pushes'],
  ])('a source that %s', async (_, definition, behaviour) => {
    expect(await failedBy(sourceSuite.behaviours, () => sourceSubject(definition, 2000))).toContain(behaviour)
  })

  test('a source without a harness', () => {
    expect(() => sourceSubject({ ...tcpLines, type: 'new' })).toThrow(/how to feed the source 'new': add it to test\/suites/)
  })
})
