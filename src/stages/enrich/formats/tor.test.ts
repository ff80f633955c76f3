import { describe, expect, test } from 'vitest'
import { tor } from './tor.ts'

const shapes: [what: string, text: string, addresses: string[]][] = [
  ['an address a line', '192.0.2.1\n192.0.2.2\r\n\n2001:db8::1\n', ['192.0.2.1', '192.0.2.2', '2001:db8::1']],
  ['a list without a last newline', '# exits\n192.0.2.1', ['192.0.2.1']],
  [
    'exit-addresses records',
    'ExitNode 0011BD2485AD45D984EC4159C88FC066E5E3300E\nPublished 2024-03-11 13:07:19\nLastStatus 2024-03-12 08:00:00\nExitAddress 192.0.2.1 2024-03-12 08:10:51\nExitAddress 192.0.2.2 2024-03-12 08:10:52\n',
    ['192.0.2.1', '192.0.2.2'],
  ],
  [
    'exit-addresses as archived',
    '@type tordnsel 1.0\nDownloaded 2024-03-12 09:00:00\nExitNode 0011BD2485AD45D984EC4159C88FC066E5E3300E\nExitAddress 192.0.2.1 2024-03-12 08:10:51\n',
    ['192.0.2.1'],
  ],
  [
    'CSV with a blank before the value',
    'fingerprint, ipaddr, port\n000C35, 192.0.2.1, 9001\n000C35, 2001:db8::1, 9001\n',
    ['192.0.2.1', '2001:db8::1'],
  ],
  ['CSV with the column ip', 'ip,country\n192.0.2.1,NL\n', ['192.0.2.1']],
  [
    'details by Onionoo, each address once',
    JSON.stringify({
      version: '8.0',
      relays: [
        { or_addresses: ['192.0.2.1:9001', '[2001:db8::1]:9001'], exit_addresses: ['192.0.2.2'] },
        { or_addresses: ['192.0.2.1:443'] },
      ],
      bridges: [],
    }),
    ['192.0.2.2', '192.0.2.1', '2001:db8::1'],
  ],
  ['CSV with the column Address', 'nickname,"Address"\n"a, b",192.0.2.1\n', ['192.0.2.1']],
]
test.each(shapes)('%s', async (_, text, addresses) => {
  expect(await read(text)).toEqual(addresses.map((ip) => ({ ip })))
})

describe('unusable content', () => {
  test('CSV without an address column', async () => {
    await expect(read('fingerprint,port\nA,1\n')).rejects.toThrow(/no address column \(ip, ipaddr, address\)/)
  })
  test('JSON of something else', async () => {
    await expect(read('{"error":"x"}')).rejects.toThrow('not an answer of Onionoo: it has no list of relays')
    await expect(read('{"relays":[{')).rejects.toThrow('not an answer of Onionoo: not JSON')
    expect(await read('{"relays":[{"nickname":"x"}]}')).toEqual(['relay 0 has no addresses'])
  })
  test('a strange line among exit-addresses is shown', async () => {
    expect(await read('ExitNode A\nExitAddress 192.0.2.1 x\n<html>\n')).toEqual([
      { ip: '192.0.2.1' },
      'line 3 is not a line of exit-addresses: "<html>"',
    ])
  })
})

async function read(text: string) {
  const rows = []
  for await (const batch of tor.read(text, { primaryKey: 'ip' })) rows.push(...batch)
  return rows
}
