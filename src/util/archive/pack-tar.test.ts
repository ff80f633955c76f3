import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packTar } from './pack-tar.ts'
import { isTar, tarEntries } from './tar.ts'

const name = fc
  .array(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join('/').replace(/\0|\n/g, '_').toWellFormed())

test('what is packed is read back: any names, any contents', async () => {
  const file = fc.record({ name, content: fc.uint8Array({ maxLength: 1500 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 5 }), async (files) => {
      const bytes = packTar(files)
      expect([isTar(bytes), bytes.length % 512]).toEqual([true, 0])
      const read = await Promise.all(
        tarEntries(bytes).map(async (entry) => ({ name: entry.name, content: Uint8Array.from(await entry.read(1e6)) })),
      )
      expect(read).toEqual(files)
    }),
  )
})

test('the system’s tar unpacks it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-tar-'))
  try {
    const names = ['a.txt', 'b/c.txt', `d/${'long'.repeat(40)}/é.txt`]
    writeFileSync(join(folder, 'x.tar'), packTar(names.map((one) => ({ name: one, content: Buffer.from(one) }))))
    execFileSync('tar', ['xf', 'x.tar'], { cwd: folder })
    for (const one of names) expect(readFileSync(join(folder, one), 'utf8')).toBe(one)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
