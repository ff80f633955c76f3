import { expect, test } from 'vitest'
import { unzstd, unzstdInSlices } from './unzstd.ts'

/** A frame of raw blocks of 1000 bytes, without a checksum. */
function frame(content: Buffer): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at < content.length; at += 1000) {
    const part = content.subarray(at, at + 1000)
    const header = Buffer.alloc(4)
    header.writeUInt32LE((part.length << 3) | (at + 1000 >= content.length ? 1 : 0))
    blocks.push(header.subarray(0, 3), part)
  }
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]), ...blocks])
}

/** `a` and a line break, as `zstd -19` writes it, with its checksum. */
const SMALL = Buffer.from('KLUv/QRoEQAAYQpVyMwe', 'base64')
const SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9])
const LONG = Buffer.from(Array.from({ length: 40_000 }, (_, i) => `${i}\n`).join(''))

test('data of several frames is the same, decoded at once or in slices between which others may run', async () => {
  const data = Buffer.concat([SMALL, SKIPPABLE, frame(LONG), SMALL])
  let slices = 0
  const inSlices = await unzstdInSlices(data, 1_000_000, () => {
    slices++
    return undefined
  })
  expect(slices).toBeGreaterThan(10)
  for (const result of [unzstd(data, 1_000_000), inSlices]) {
    expect(result.kind).toBe('ok')
    const text = Buffer.concat(result.kind === 'ok' ? result.parts : []).toString()
    expect(text).toBe(`a\n${LONG}a\n`)
  }
})

test.each([
  ['larger than the limit', frame(LONG), 'too-much'],
  ['cut off', frame(LONG).subarray(0, 5000), 'broken'],
  ['followed by something else', Buffer.concat([SMALL, Buffer.from('1234567890')]), 'broken'],
])('data that is %s is refused both ways', async (_, data, kind) => {
  const limit = kind === 'too-much' ? LONG.length - 1 : LONG.length
  expect(unzstd(data, limit).kind).toBe(kind)
  expect((await unzstdInSlices(data, limit, () => undefined)).kind).toBe(kind)
})

test('the data is not changed', () => {
  const data = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3, 9, 0, 0, 0x61])
  const before = Buffer.from(data)
  expect(unzstd(data, 1_000_000)).toMatchObject({ kind: 'ok' })
  expect(data.equals(before)).toBe(true)
})
