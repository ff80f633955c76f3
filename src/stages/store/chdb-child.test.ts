import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { entryFile } from '../../util/entry.ts'
import { FrameReader } from '../../util/frames.ts'
import type { ChildOptions, Reply } from './chdb-protocol.ts'

const MIB = 1024 * 1024
const options: Omit<ChildOptions, 'path'> = {
  readers: 1,
  maxQueryBytes: 64 * MIB,
  maxMemoryBytes: 256 * MIB,
  maxQueryMs: 1000,
  maxResultBytes: MIB,
  fsync: false,
}

test('without the engine’s package the process says what to install', async () => {
  // The compiled code in a folder from which no package can be resolved.
  const folder = mkdtempSync(join(tmpdir(), 'lake-'))
  const dist = dirname(dirname(dirname(entryFile('stages/store/chdb-child'))))
  for (const part of ['stages/store', 'chunks']) cpSync(join(dist, part), join(folder, part), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const argument = JSON.stringify({ ...options, path: join(folder, 'lake') })
  const child = spawn(process.execPath, [join(folder, 'stages/store/chdb-child.js'), argument], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const reader = new FrameReader<Reply>()
  const replies: Reply[] = []
  const output = child.stdio[3] as Readable
  output.on('data', (chunk: Uint8Array) => replies.push(...reader.push(chunk).map(({ header }) => header)))
  const [code] = await once(child, 'close')
  expect(replies).toMatchObject([{ op: 'failed', code: 'not_supported' }])
  expect(JSON.stringify(replies[0])).toContain('npm install chdb')
  expect(code).toBe(1)
  rmSync(folder, { recursive: true })
})
