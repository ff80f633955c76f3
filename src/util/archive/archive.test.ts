import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fuzzRuns } from '../../../test/support/fuzz.ts'
import { type ArchiveEntry, ArchiveError } from './entry.ts'
import { isTar, tarEntries } from './tar.ts'
import { zipOf } from './zip.fixture.ts'
import { isZip, zipEntries } from './zip.ts'

/** Archives as common tools write them: GNU tar in its own format and in that of POSIX, both with a long name, and Python's zip. */
const GNU =
  'H4sIAAAAAAACA+3WsU7DMBQFUM98hX8A5z3bz1mROgSkSCDEwoSgRG0EjVFqEP170m6pKFnaQOk9iyM7Uoar65eiimWdKns+qdPqwZL15Nhmap+ok4ts1s72unlmL7nLWfx6nx1JrrSoEbwv02OrtWpjTD+9N3R+pIrv859c39zfXhWXdyZ9pn3kH7zfnT/brfyFAytNyP/gpvFt1dazeTpTcIJ29L+3bRaL56dR+x+sQ/9HsY5Wz6u2Qv9PkslMdlHGZlbWzcuBvjHUfxts71+QmAM5pUv0/7fu/+ZPMtPlByp7dPkPzn+S/vx3Tshi/o/htbv6MfoBAAAAAAAAAAAAAP6XL9eHsK0AKAAA'
const PAX =
  'H4sIAAAAAAACA+2YT2+CMBiHe/ZT8AUG/fe2cPDkQZcsmVl22Wlh2gjJBAPdot9+1ewwGM4saKfzfS4lvE0olOf9EcJomq4nJp2bqo7GprzLreE3o9xunjnlkgrGSV+oQ0m5Gx3tkVItCZOghWYgt+eZAC5JsCYeeKttWrmlkOtE0CC1+dIMmU4gcc9dQyiFkDzWEA9cdfatypPPKkEunm7lo6NeY6c4wH7/3XHTfylAkwB8+l+Vpf1p3qF6++Yue/+/hMLofvr0cDuePIZ2bT31f3Bg/z/H/i/DmMO2Givs//+3//eX/jf+u2/Mpv9KKkYC6tP/K+3/s3K1qfJFZtFm9L8z/xszwuVy/nL6/FeKY/5j/iN/5X9/6XvlvwaB+e+F7dYGmakM2oz+d+Z/0ZtD/gulm/4LpqjG/PcBi3WwSm023PMiFGdJOKvfB/jr+nT+H3W3DuY/hZb/QCnH/PfBa1ks0AYEQRAEQRAEuQ4+ABY8QisAKAAA'
const ZIP =
  'UEsDBBQAAAAAAAAAbFgAAAAAAAAAAAAAAAAEAAAAZGlyL1BLAwQUAAAACAAAAGxYCO5vHhgAAADgAQAACgAAAHRvcC0xbS5jc3Yz1EnUS61IzC3ISeUy0kmCsw1HxYeFOABQSwMEFAAAAAAAAABsWAWmoeUIAAAACAAAAAoAAAByZWFkbWUudHh0cmVhZCBtZQpQSwECFAMUAAAAAAAAAGxYAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAgAEAAAAAZGlyL1BLAQIUAxQAAAAIAAAAbFgI7m8eGAAAAOABAAAKAAAAAAAAAAAAAACAASIAAAB0b3AtMW0uY3N2UEsBAhQDFAAAAAAAAABsWAWmoeUIAAAACAAAAAoAAAAAAAAAAAAAAIABYgAAAHJlYWRtZS50eHRQSwUGAAAAAAMAAwCiAAAAkgAAAAkAYSBjb21tZW50'
const ARCHIVES = {
  'gnu tar': { bytes: gunzipSync(Buffer.from(GNU, 'base64')), is: isTar, entries: tarEntries },
  'pax tar': { bytes: gunzipSync(Buffer.from(PAX, 'base64')), is: isTar, entries: tarEntries },
  zip: { bytes: Buffer.from(ZIP, 'base64'), is: isZip, entries: zipEntries },
}
const FOLDER = 'GeoLite2-City_20240312'
const IN_TAR = {
  [`${FOLDER}/COPYRIGHT.txt`]: 'copyright\n',
  [`${FOLDER}/GeoLite2-City.mmdb`]: 'mmdb here\n',
  [`${FOLDER}/${'n'.repeat(150)}.csv`]: 'long\n',
}
const IN_ZIP = { 'top-1m.csv': '1,a.example\n2,b.example\n'.repeat(20), 'readme.txt': 'read me\n' }

async function contents(entries: readonly ArchiveEntry[]): Promise<Record<string, string>> {
  const read: Record<string, string> = {}
  for (const entry of entries) read[entry.name] = Buffer.from(await entry.read(1000)).toString()
  return read
}

test.each(Object.entries(ARCHIVES))(
  'the files of a %s are read by name, folders left out',
  async (kind, { bytes, is, entries }) => {
    expect(is(bytes)).toBe(true)
    expect(await contents(entries(bytes))).toEqual(kind === 'zip' ? IN_ZIP : IN_TAR)
  },
)

test.each(Object.entries(ARCHIVES))('a file of a %s over the limit is refused before it is decompressed', async (_, archive) => {
  for (const entry of archive.entries(archive.bytes))
    await expect(entry.read(2)).rejects.toMatchObject({ isTooLarge: true, message: 'is larger than 2 bytes' })
})

test('text is not an archive', () => {
  for (const text of ['', 'PK', 'ustar', 'x'.repeat(1000)])
    expect([isTar(Buffer.from(text)), isZip(Buffer.from(text))]).toEqual([false, false])
})

describe.each(Object.entries(ARCHIVES))('a damaged %s', (_, { bytes, entries }) => {
  test('that is cut at any place is never read as if it were whole', async () => {
    // Tar pads its end with zeros, which may be missing.
    const last = bytes.findLastIndex((byte) => byte !== 0)
    for (let end = 1; end <= last; end += 37)
      await expect(async () => contents(entries(bytes.subarray(0, end)))).rejects.toThrow(ArchiveError)
  })

  test('is refused with a sentence or read, whatever has changed, and nothing else is thrown', async () => {
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const damaged = Buffer.from(bytes)
        for (const [at, byte] of changes) damaged[at] = byte
        try {
          await contents(entries(damaged))
        } catch (error) {
          expect(error).toBeInstanceOf(ArchiveError)
        }
      }),
      { numRuns: fuzzRuns(), seed: 11 },
    )
  })
})

test('a changed byte in the content of a zip is found by its checksum', async () => {
  const damaged = Buffer.from(ARCHIVES.zip.bytes)
  damaged[damaged.indexOf('read me')] = 0x52
  await expect(contents(zipEntries(damaged))).rejects.toThrow(/wrong checksum/)
})

test('a zip whose directory announces less than a file contains is refused: no more than announced is decompressed', async () => {
  const damaged = Buffer.from(ARCHIVES.zip.bytes)
  const directory = damaged.lastIndexOf('top-1m.csv') - 46
  damaged.writeUInt32LE(100, directory + 24)
  await expect(contents(zipEntries(damaged))).rejects.toThrow(/cannot be decompressed/)
})

test('an encrypted file is refused', async () => {
  const damaged = Buffer.from(ARCHIVES.zip.bytes)
  damaged[damaged.lastIndexOf('readme.txt') - 46 + 8] = 1
  await expect(contents(zipEntries(damaged))).rejects.toThrow(/is encrypted/)
})

test('an archive of too many files is refused', () => {
  const [header] = [ARCHIVES['gnu tar'].bytes.subarray(0, 512)]
  const many = Buffer.concat(Array.from({ length: 10_001 }, () => header))
  expect(() => tarEntries(many)).toThrow(/more than 10000 files/)
})

test('any changed byte of a zip is an error, or changes nothing that is read', async () => {
  const list = '192.0.2.1\n192.0.2.2\n'
  for (const zip of [zipOf({ 'list.txt': Buffer.from(list) }), zipOf({ 'list.txt': Buffer.from(list) }, { stored: true })]) {
    for (let at = 0; at < zip.length; at++) {
      const copy = Buffer.from(zip)
      copy[at]! ^= 0xff
      const read = await (async () => contents(zipEntries(copy)))().catch((error: unknown) => error)
      if (read instanceof Error) expect(read, `byte ${at}`).toBeInstanceOf(ArchiveError)
      else expect(Object.values(read as object), `byte ${at}`).toEqual([list])
    }
  }
})

test('a method other than deflate is refused', async () => {
  await expect(contents(zipEntries(zipOf({ a: Buffer.from('a') }, { method: 12 })))).rejects.toThrow(/method 12/)
})
