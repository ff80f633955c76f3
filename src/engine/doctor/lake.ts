import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Config } from '../../config/config.ts'
import type { LakeExamination } from '../../stages/store/chdb-examine.ts'
import { lockDataDir } from '../../state/sqlite.ts'
import { entryFile } from '../../util/entry.ts'
import { messageOf } from '../../util/errors.ts'
import { type Examination, type Finding, failed, ok, skipped } from './examination.ts'
import { serverExamination } from './server-lake.ts'

const MAX_OUTPUT = 1024 * 1024
/** Damaged parts to name. */
const MOST = 3

/** Compares the checksums of everything in an embedded lake, unless a running Caracal has it open. Reads all of it, so it may take minutes. */
export function lakeExamination(config: Config, isRunning: boolean): Examination {
  const { lake } = config
  if (lake.type === 'clickhouse') return serverExamination(config, lake)
  return {
    name: 'lake',
    async run() {
      const path = join(config.data_dir, 'lake')
      if (!existsSync(path)) return skipped('there is no lake yet')
      if (isRunning) return skipped('Caracal has it open: stop Caracal to have its checksums compared')
      let unlock: () => void
      try {
        unlock = lockDataDir(config.data_dir)
      } catch (error) {
        return skipped(messageOf(error))
      }
      try {
        return judged(await examined(path, lake, config.query_timeout_ms))
      } catch (error) {
        return failed(`it cannot be examined: ${messageOf(error)}`, RESTORE)
      } finally {
        unlock()
      }
    },
  }
}

const RESTORE = 'restore the data folder from a backup; `caracal up` still opens what is intact'

function judged({ tables, parts, damaged }: LakeExamination): Finding {
  if (damaged.length === 0) return ok(`${tables} tables, ${parts} parts, all checksums match`)
  const named = damaged.slice(0, MOST).map(({ table, part, message }) => `${table} ${part}: ${message.slice(0, 200)}`)
  return failed(`${damaged.length} of ${parts} parts are damaged: ${named.join('; ')}`, RESTORE)
}

type ChdbBlock = Extract<Config['lake'], { type: 'chdb' }>

/** The result of a process of its own, because a damaged lake may end it. */
async function examined(path: string, lake: ChdbBlock, maxQueryMs: number): Promise<LakeExamination> {
  const options = {
    path,
    maxMemoryBytes: lake.max_memory_bytes,
    maxQueryMs,
    maxQueryBytes: lake.max_query_bytes,
    maxResultBytes: lake.max_result_bytes,
  }
  const child = spawn(process.execPath, [entryFile('stages/store/chdb-examine'), JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { TZ: 'UTC' },
  })
  const [said, answer] = [text(child.stderr as Readable), text(child.stdio[3] as Readable)]
  const how = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  const json = await answer
  if (json === '') throw new Error(`its process ended (${how}): ${(await said).trim().split('\n').at(-1)?.slice(0, 300) ?? ''}`)
  return JSON.parse(json) as LakeExamination
}

async function text(stream: Readable): Promise<string> {
  let all = ''
  for await (const chunk of stream) all = (all + String(chunk)).slice(-MAX_OUTPUT)
  return all
}
