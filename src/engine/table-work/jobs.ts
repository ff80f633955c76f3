import { readFile } from 'node:fs/promises'
import type { JsonObject } from '../../model/json.ts'
import { compileFiles, type LoadedTable } from '../../packs/compile.ts'
import type { Content } from '../../packs/content.ts'
import { buildTable, type TableContent } from '../../stages/enrich/build.ts'
import { isExtension } from '../../stages/enrich/definition.ts'
import type { StoredVersion, VersionFile } from '../../stages/enrich/keeper-types.ts'
import { type AnyImage, imageOf } from '../../stages/enrich/open.ts'
import { TableError } from '../../stages/enrich/table.ts'
import { type DiffLimits, diffContents, type TableDiff } from '../../stages/enrich/versions/diff.ts'
import { type NewContent, type Revised, revise } from './revise.ts'
import { type WrittenRows, writeRows } from './write-rows.ts'

/** The files that define one table: its own, its extensions, and the schema of its rows. Plain values. */
export type TableFiles = Pick<Content, 'schemas' | 'tables'>

/** Work on stored versions of a table that would keep a thread busy for long. */
export type TableJob =
  | { readonly kind: 'diff'; readonly before: VersionFile; readonly after: VersionFile; readonly limits: DiffLimits }
  | { readonly kind: 'build'; readonly version: StoredVersion }
  | { readonly kind: 'row'; readonly version: StoredVersion; readonly key: string }
  | { readonly kind: 'write'; readonly version: VersionFile; readonly file: string }
  | { readonly kind: 'revise'; readonly content: Omit<NewContent, 'before'>; readonly before: VersionFile | undefined }

/** The result of each kind of job. */
export interface JobResults {
  diff: TableDiff
  /** In shared memory. */
  build: AnyImage
  row: JsonObject | undefined
  write: WrittenRows
  revise: Revised
}

export type JobResult = JobResults[keyof JobResults]

/** The files of one table of the content. */
export function tableFilesOf({ schemas, tables }: TableFiles, name: string): TableFiles {
  const own = tables.filter((table) =>
    isExtension(table.document) ? (table.document as { Extends?: unknown }).Extends === name : table.name === name,
  )
  const named = new Set(own.map(({ document }) => (document as { Schema?: unknown }).Schema))
  return { tables: own, schemas: schemas.filter((schema) => named.has(schema.name)) }
}

/** Does the job. Throws `TableError` if a version cannot be read. */
export async function doJob(name: string, files: TableFiles, job: TableJob): Promise<JobResult> {
  const table = tableOf(name, files)
  switch (job.kind) {
    case 'diff':
      return diffContents(table, await contentOf(job.before), await contentOf(job.after), job.limits)
    case 'build':
      return imageOf(await built(table, job.version))
    case 'row':
      return (await built(table, job.version)).get(job.key)
    case 'write':
      return writeRows(table, await contentOf(job.version), job.file)
    case 'revise':
      return revise(table, { ...job.content, before: job.before && (await contentOf(job.before)) })
  }
}

function tableOf(name: string, files: TableFiles): LoadedTable {
  const { tables, problems } = compileFiles(files)
  const table = tables.get(name)
  if (!table) throw new TableError(problems[0]?.message ?? `there is no table '${name}'`)
  return table
}

async function built({ definition, schema }: LoadedTable, version: StoredVersion) {
  return buildTable(definition, schema, { ...(await contentOf(version)), date: version.date })
}

async function contentOf({ path, fileName }: VersionFile): Promise<TableContent> {
  return { bytes: await readFile(path), fileName }
}
