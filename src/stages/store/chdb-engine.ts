import { NotSupported, StorageError } from '../../util/errors.ts'
import type { ChildOptions } from './chdb-protocol.ts'
import { forgetLostTokens } from './chdb-repair.ts'
import { scrubTables } from './chdb-scrub.ts'
import { quoteText } from './ddl.ts'
import {
  type Engine,
  type ReaderDatabase,
  type RowFile,
  readerSettings,
  readSurface,
  type Session,
  settingsText,
  WRITER,
} from './engine.ts'
import { literal } from './erase.ts'
import { insertStatement } from './insert-statement.ts'

const MIB = 1024 * 1024

/** Settings that cannot be changed later. The caches' default limits are gigabytes, far more than the lake of a small machine needs. */
function serverArguments({ maxMemoryBytes }: ChildOptions): string[] {
  return [
    `--max_server_memory_usage=${maxMemoryBytes}`,
    `--mark_cache_size=${64 * MIB}`,
    `--primary_index_cache_size=${64 * MIB}`,
    `--query_condition_cache_size=${16 * MIB}`,
    `--compiled_expression_cache_size=${16 * MIB}`,
    // Otherwise it checks its memory 20 times a second, even on an idle machine.
    '--memory_worker_period_ms=500',
  ]
}

/** Opens the lake at `options.path`. Throws `NotSupported` without the engine, and `StorageError` if another process has the folder. */
export async function openEngine(options: ChildOptions): Promise<Engine> {
  const chdb = await import('chdb').catch((cause: unknown) => {
    throw new NotSupported(
      `the embedded lake on this machine, because the package 'chdb' cannot be loaded (${String(cause)}): ` +
        'run `npm install chdb` (Linux or macOS, x64 or arm64), or configure another lake',
    )
  })
  const open = (): Session => {
    const session = new chdb.Session(options.path, { connectionArgs: serverArguments(options) })
    const run: Session['run'] = async (sql, format = 'JSONCompactEachRow') => (await session.queryAsync(sql, { format })).text()
    return {
      run,
      withFile: (file, work) => work(fileTable(file)),
      async toFile(outFormat, select, settings, path) {
        await run(`${select}\nINTO OUTFILE ${quoteText(path)} TRUNCATE FORMAT ${outFormat} SETTINGS ${settingsText(settings)}`)
      },
      close: () => session.close(),
    }
  }
  let writer: Session
  try {
    writer = open()
  } catch (cause) {
    throw new StorageError(`the lake at ${options.path} cannot be opened: ${String(cause)}`, { cause })
  }
  await writer.run(`SET ${settingsText(WRITER)}`)
  const control = open()
  const surface = await readSurface(control)
  const openReader = async (database: ReaderDatabase) => {
    const session = open()
    await session.run(`USE ${database}`)
    await session.run(`SET ${settingsText(readerSettings(options))}`)
    return session
  }
  return {
    writer,
    control,
    open,
    openReader,
    surface,
    name: '',
    async repair() {
      await forgetLostTokens(writer)
    },
    async insert(insert) {
      await writer.run(insertStatement(insert, fileTable(insert.file)))
    },
    withSought: (ask, work) => work(literal(ask)),
    scrub: () => scrubTables(writer),
  }
}

/** A file as the engine reads it from the disk. */
function fileTable({ path, format, structure }: RowFile): string {
  return `file(${quoteText(path)}, ${quoteText(format)}, ${quoteText(structure)})`
}
