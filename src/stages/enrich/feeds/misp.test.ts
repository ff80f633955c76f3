import { expect, test } from 'vitest'
import { zipOf } from '../../../util/archive/zip.fixture.ts'
import { noKeys } from '../api-keys.ts'
import { misp } from './misp.ts'

test('many lists, each within the limit, are refused together', async () => {
  const list = Buffer.from(JSON.stringify({ type: 'cidr', name: 'a', list: ['192.0.2.0/24'], description: 'a'.repeat(20_000) }))
  const refresh = (count: number) => {
    const files = Array.from({ length: count }, (_, i) => [`warninglists-main/lists/l${i}/list.json`, list] as const)
    const body = zipOf(Object.fromEntries(files))
    const send = async () => ({ status: 200, headers: new Map<string, string>(), body })
    const config = misp.config.parse({ max_bytes: 100_000 })
    return misp
      .create(config, { send, keys: noKeys, table: 't', folder: '/', dataFolder: '/' })
      .refresh({}, new AbortController().signal)
  }
  expect(Buffer.from((await refresh(1))!.bytes).toString()).toContain('192.0.2.0/24')
  await expect(refresh(60)).rejects.toThrow('larger than 8 times')
})
