import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { droppedDatagrams, dropsIn } from './udp-drops.ts'

const HEADER =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            '
const row = (local: string, drops: number) =>
  `  100: ${local} 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 4026 2 0000000000000000 ${drops}        `

test('the drops of the socket with that address and port', () => {
  const table = [HEADER, row('0100007F:158A', 7), row('00000000:158A', 8), row('0100007F:158B', 9), ''].join('\n')
  expect(dropsIn(table, { address: '127.0.0.1', port: 5514 }, true)).toBe(7)
  expect(dropsIn(table, { address: '0.0.0.0', port: 5514 }, true)).toBe(8)
  expect(dropsIn(table, { address: '127.0.0.1', port: 514 }, true)).toBeUndefined()
})

test.each([
  ['::1', '00000000000000000000000001000000'],
  ['::', '00000000000000000000000000000000'],
  ['2001:db8::7', 'B80D0120000000000000000007000000'],
])('the drops of %s', (address, local) => {
  expect(dropsIn([HEADER, row(`${local}:158A`, 3)].join('\n'), { address, port: 5514 }, true)).toBe(3)
})

test('a machine with the other byte order', () => {
  expect(dropsIn(row('7F000001:158A', 7), { address: '127.0.0.1', port: 5514 }, false)).toBe(7)
})

test.runIf(process.platform === 'linux')('what the kernel says about a socket that is too slow', async () => {
  const slow = createSocket({ type: 'udp4', recvBufferSize: 4096 })
  slow.bind(0, '127.0.0.1')
  await once(slow, 'listening')
  const { port } = slow.address()
  expect(droppedDatagrams(slow.address())).toBe(0)
  const sender = createSocket('udp4')
  // Nothing is read while this runs, because sending resolves names only once and writes at once.
  const sent = Array.from(
    { length: 100 },
    () => new Promise((resolve) => sender.send(Buffer.alloc(1000), port, '127.0.0.1', resolve)),
  )
  await Promise.all(sent)
  let read = 0
  slow.on('message', () => read++)
  await new Promise((resolve) => setImmediate(resolve))
  sender.close()
  const dropped = droppedDatagrams(slow.address())!
  expect(dropped).toBeGreaterThan(0)
  expect(read + dropped).toBeLessThanOrEqual(100)
  slow.close()
})
