import { expect, test } from 'vitest'
import type { Lake } from '../stages/store/lake.ts'
import { StorageError } from '../util/errors.ts'
import { sureLake } from './sure-lake.ts'

/** As the lakes are: an object that knows itself. */
class Remembering {
  readonly #calls: string[] = []

  get calls(): readonly string[] {
    return this.#calls
  }

  async query(sql: string): Promise<string> {
    this.#calls.push(sql)
    return 'rows'
  }

  async store(_table: unknown, file: string): Promise<string | undefined> {
    this.#calls.push(file)
    return undefined
  }
}

test('a process that is not sure to be the active one reads the lake and changes nothing in it', async () => {
  let isSure = true
  const lake = new Remembering()
  const sure = sureLake(lake as unknown as Lake, async () => {
    if (!isSure) throw new StorageError('another node is active')
  })
  await sure.store({} as never, 'one', 't1')
  isSure = false
  await expect(sure.store({} as never, 'two', 't2')).rejects.toThrow('another node is active')
  expect(await sure.query('SELECT 1')).toBe('rows')
  expect(lake.calls).toEqual(['one', 'SELECT 1'])
})
