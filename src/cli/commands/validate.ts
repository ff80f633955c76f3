import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { cacheFolder } from '../../config/env.ts'
import { DEFAULT_FILE } from '../../config/load.ts'
import type { Content } from '../../packs/content.ts'
import type { Creates } from '../../packs/detectors.ts'
import { printable } from '../../util/terminal.ts'
import { type ContentFlags, selectContent, withContent } from '../content.ts'
import type { Io } from '../io.ts'

interface Flags extends ContentFlags {
  readonly json?: boolean
}

const HELP = `
Checks keys, ids, schemas, tables and that the code of every rule loads; runs nothing on events (caracal test does).
Exit code: 0 all in order; 1 something cannot be used, or a filter; 2 usage or configuration.`

export function registerValidate(program: Command, io: Io): void {
  withContent(program.command('validate'), 'content')
    .summary('check configuration and content')
    .description('Checks configuration and content, and lists what cannot be used and what is worth knowing.')
    .option('--json', 'one JSON object a line, a summary last')
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      process.exitCode = await validate(flags, io)
    })
}

async function validate(flags: Flags, io: Io): Promise<0 | 1> {
  const { withLanguages } = await import('../../packs/detectors.ts')
  const [content, problems, untranslated] = await withLanguages((languages) => check(languages, flags, io))
  const { problemJson, problemLine } = await import('../../packs/test-report.ts')
  const notices = [...content.notices, ...untranslated]
  const counts = countsOf(content)
  if (flags.json) {
    for (const problem of problems) io.out(`${problemJson(problem)}\n`)
    for (const notice of notices) io.out(`${JSON.stringify({ notice })}\n`)
    io.out(`${JSON.stringify({ summary: { ...counts, problems: problems.length, notices: notices.length } })}\n`)
  } else {
    for (const notice of notices) io.out(`notice ${printable(notice)}\n`)
    for (const problem of problems) io.out(`ERROR  ${printable(problemLine(problem))}\n`)
    const shown = Object.entries(counts).map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`)
    io.out(`${shown.join(', ')}: `)
    io.out(`${problems.length} problems, ${notices.length} notices\n`)
  }
  return problems.length === 0 ? 0 : 1
}

async function check(
  languages: readonly Creates[],
  flags: Flags,
  io: Io,
): Promise<readonly [Content, readonly Content['problems'][number][], readonly string[]]> {
  const { checkContent } = await import('../../packs/check.ts')
  const { scope, packProblems } = await selectContent(flags, io)
  const file = resolve(flags.config ?? DEFAULT_FILE)
  const told = packProblems.map((message) => ({ file, line: undefined, message }))
  const found = await checkContent(scope.selected, languages, join(cacheFolder(io.env), 'python'))
  const { queryNoticesOf } = await import('../query-notices.ts')
  return [scope.selected, [...told, ...scope.problems, ...found], await queryNoticesOf(scope, flags, io)]
}

/** Rules, schemas and tables always; other kinds where there are any. */
function countsOf(content: Content): Record<string, number> {
  const { rules, schemas, tables } = content
  const others = {
    scheduled_rules: content.scheduledRules.length,
    policies: content.policies.length,
    correlation_rules: content.correlationRules.length,
    data_models: content.dataModels.length,
    scheduled_queries: content.scheduledQueries.length,
    saved_queries: content.savedQueries.length,
  }
  const some = Object.entries(others).filter(([, count]) => count > 0)
  return { rules: rules.length, schemas: schemas.length, tables: tables.length, ...Object.fromEntries(some) }
}
