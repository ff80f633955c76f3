import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { received, unpack } from './content.ts'

/** A zip of list.txt: 192.0.2.1 and 192.0.2.2, five times. */
const ZIP = Buffer.from(
  'UEsDBBQAAAAIAAAAbFgE1rNDFAAAAGQAAAAIAAAAbGlzdC50eHQztDTSM9Az0jPkMoSyjOAsaokBAFBLAQIUAxQAAAAIAAAAbFgE1rNDFAAAAGQAAAAIAAAAAAAAAAAAAACAAQAAAABsaXN0LnR4dFBLBQYAAAAAAQABADYAAAA6AAAAAAA=',
  'base64',
)
const LIST = '192.0.2.1\n192.0.2.2\n'.repeat(5)

/** A tar archive, each header with its checksum. */
function tar(files: Record<string, string | Buffer>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const header = Buffer.alloc(512)
    header.write(name)
    header.write(content.length.toString(8).padStart(11, '0'), 124)
    header.write('        0', 148)
    header.write('ustar\x0000', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [header, Buffer.from(content as string), Buffer.alloc(-content.length & 511)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

const textOf = async (bytes: Uint8Array, unpacking?: object) => Buffer.from(await unpack(bytes, unpacking)).toString()
const city = tar({ 'City_1/LICENSE.txt': 'licence', 'City_1/City.mmdb': 'the city', 'City_1/old/City.mmdb.txt': 'x' })

test.each<[string, Buffer, string | undefined, string]>([
  ['text', Buffer.from('a\n'), undefined, 'a\n'],
  ['gzip', gzipSync('a\n'), undefined, 'a\n'],
  ['zstd', Buffer.from('KLUv/QRoEQAAYQpVyMwe', 'base64'), undefined, 'a\n'],
  ['the only file of a zip', ZIP, undefined, LIST],
  ['the only file of a tar archive', gzipSync(tar({ 'a/list.txt': 'b\n' })), undefined, 'b\n'],
  ['a member of a tar archive by pattern', gzipSync(city), '*.mmdb', 'the city'],
  ['a member of a tar archive by its name', city, 'City.mmdb', 'the city'],
  ['a member of a tar archive by its path', city, 'City_1/LICENSE.txt', 'licence'],
  ['a compressed member', tar({ 'list.gz': gzipSync('c\n') }), undefined, 'c\n'],
])('%s is unpacked whatever its name', async (_, bytes, member, text) => {
  expect(await textOf(bytes, { member })).toBe(text)
})

test.each<[string, Buffer, object, RegExp]>([
  [
    'several files and no member',
    city,
    {},
    /contains several files \("City_1\/LICENSE.txt", "City_1\/City.mmdb", .*\): name one with .*`member`/,
  ],
  ['no file that fits', city, { member: '*.csv' }, /no file of the archive fits `member: \*\.csv`: "City_1\/LICENSE.txt"/],
  ['several files that fit', city, { member: 'City*' }, /more than one file .*fits/],
  ['an empty archive', gzipSync(Buffer.alloc(0)), { member: '*' }, /not a zip or tar archive/],
  ['a member of what is not an archive', Buffer.from('a\n'), { member: '*.csv' }, /not a zip or tar archive.*remove `member`/],
  ['a member over the limit', ZIP, { max_bytes: 99 }, /larger than 99 bytes/],
  ['an archive over the limit', gzipSync(city), { max_bytes: 1000, member: '*.mmdb' }, /larger than 1000 bytes/],
  ['a zip that is cut', ZIP.subarray(0, 100), {}, /the archive is cut off.*fetch it again/],
  ['a broken zstd', Buffer.from('KLUv/QRoEQAAYQ', 'base64'), {}, /zstd content is broken/],
  ['what no list compresses to', gzipSync(Buffer.alloc(4_000_000)), {}, /expands to more than 250 times its size/],
])('%s is refused with advice', async (_, bytes, unpacking, message) => {
  await expect(unpack(bytes, unpacking)).rejects.toThrow(message)
  await expect(unpack(bytes, unpacking)).rejects.toMatchObject({ code: 'table' })
})

test('a member is stored by itself; other content as received', async () => {
  expect(Buffer.from(await received(gzipSync(city), { member: '*.mmdb' })).toString()).toBe('the city')
  const packed = gzipSync('a\n')
  expect(await received(packed, {})).toBe(packed)
})
