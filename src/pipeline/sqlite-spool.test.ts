import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { bodyOf, drained, spoolSuite } from '../../test/suites/spools.ts'
import { openSqlite } from '../state/sqlite.ts'
import { Spool } from './spool.ts'
import { SqliteSpool } from './sqlite-spool.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-spools-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const open = async (name: string) => new SqliteSpool(new Spool(openSqlite(join(folder, `${name}.db`))))

// The one on Kafka: test/peers/kafka-spool.test.ts.
describe('the spool in a file', () => {
  spoolSuite({ open })

  test('after a spool on Kafka, it says once that bodies may be left there', async () => {
    const spool = await open('before')
    await spool.append(bodyOf('a', 'new'))
    const { texts, lost } = await drained(spool, 'a', { epoch: 'kafka:one', id: 7 })
    expect([texts, lost]).toEqual([['new'], [expect.stringContaining('bodies may be left in its topic')]])
    await spool.close()
  })
})
