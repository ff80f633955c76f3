import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getAuthTables } from 'better-auth/db'
import { expect, test } from 'vitest'
import { configSchema } from '../../config/config.ts'
import { openState } from '../../state/db.ts'
import { changeUserRows, USER_TABLES } from '../../state/user-rows.ts'
import { createLibrary } from './library.ts'

test('the tables of the state have every column that the library wants', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-library-'))
  const state = await openState(folder)
  try {
    const ask = (...[one]: Parameters<typeof changeUserRows> extends [unknown, infer A] ? [A] : never) =>
      changeUserRows(state, one)
    const config = configSchema.parse({})
    const { options } = createLibrary({ config, secret: 'x'.repeat(43), state, ask, mayEnter: () => true })
    const tables = await state.introspection.getTables()
    const wanted = Object.values(getAuthTables(options)).map(({ modelName, fields }) => ({
      table: modelName,
      columns: ['id', ...Object.entries(fields).map(([name, { fieldName }]) => fieldName ?? name)],
    }))
    expect(wanted.map(({ table }) => table).sort()).toEqual([...USER_TABLES].sort())
    for (const { table, columns } of wanted) {
      const present = tables.find(({ name }) => name === table)?.columns.map(({ name }) => name)
      expect([table, columns.filter((column) => !present?.includes(column))]).toEqual([table, []])
    }
  } finally {
    await state.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
})
