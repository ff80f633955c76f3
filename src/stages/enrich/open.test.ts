import { expect, test } from 'vitest'
import { buildTable } from './build.ts'
import { defineTable } from './definition.ts'
import { writeMmdb } from './mmdb/mmdb.fixture.ts'
import { imageOf, openTable } from './open.ts'

const FILES: readonly (readonly [string, Uint8Array])[] = [
  ['geo.mmdb', writeMmdb([['192.0.2.0/24', { country: 'SE' }]])],
  ['geo.csv', Buffer.from('network,country\n192.0.2.0/24,SE\n')],
]

test.each(FILES)(
  'a table from %s opens in another thread with the same content, over the same memory',
  async (fileName, bytes) => {
    const document = {
      AnalysisType: 'lookup_table',
      LookupName: 'geo',
      Filename: fileName,
      LogTypeMap: { PrimaryKey: 'network' },
    }
    const table = await buildTable(defineTable(document, { file: '/content/geo.yml' }), undefined, { bytes, fileName })
    const image = imageOf(table)
    const opened = openTable(structuredClone(image), undefined)
    expect([opened.name, opened.version, opened.match, opened.size]).toEqual([table.name, table.version, table.match, table.size])
    expect(opened.get('192.0.2.7')).toMatchObject({ country: 'SE' })
    expect(opened.get('192.0.3.7')).toBeUndefined()
    expect(opened.bytes).toBe(table.bytes)
  },
)
