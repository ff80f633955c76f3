import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { contentFolders, unpulled } from '../../config/content.ts'
import { cacheFolder } from '../../config/env.ts'
import { DEFAULT_FILE } from '../../config/load.ts'
import type { LoadedContent } from '../../engine/path.ts'
import type { Found } from '../../packs/checks/check.ts'
import type { Content, Problem } from '../../packs/content.ts'
import type { Creates } from '../../packs/detectors.ts'
import { printable } from '../../util/terminal.ts'
import { readConfig } from '../config.ts'
import { type ContentFlags, selectContent, withContent } from '../content.ts'
import type { Io } from '../io.ts'
import { counted } from '../style.ts'

interface Flags extends ContentFlags {
  readonly json?: boolean
}

const HELP = `
Checks what \`caracal up\` would load: keys, ids, schemas, tables and their content, the code of every rule, that every name is
known (log types, destinations, queries, fields), and that the secrets of the configuration are there. It runs nothing on events
and sends nothing; \`caracal test\` and \`caracal destinations test\` do.
Exit code: 0 all in order; 1 something cannot be used, or a filter cannot be read; 2 usage or configuration.`

export function registerValidate(program: Command, io: Io): void {
  withContent(program.command('validate'), 'content')
    .summary('check configuration and content')
    .description('Checks configuration and content, and lists problems and what else is worth knowing.')
    .option('--json', 'one JSON object per line, then a summary')
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      process.exitCode = await validate(flags, io)
    })
}

async function validate(flags: Flags, io: Io): Promise<0 | 1> {
  const { withLanguages } = await import('../../packs/detectors.ts')
  const [content, { problems, notices }] = await withLanguages((languages) => check(languages, flags, io))
  const { problemJson, problemLine } = await import('../../packs/test-report.ts')
  const counts = countsOf(content)
  if (flags.json) {
    for (const problem of problems) io.out(`${problemJson(problem)}\n`)
    for (const notice of notices) io.out(`${JSON.stringify({ notice })}\n`)
    io.out(`${JSON.stringify({ summary: { ...counts, problems: problems.length, notices: notices.length } })}\n`)
  } else {
    for (const notice of notices) io.out(`notice ${printable(notice)}\n`)
    for (const problem of problems) io.out(`ERROR  ${printable(problemLine(problem))}\n`)
    const shown = Object.entries(counts).map(([kind, n]) => `${n} ${nounOf(kind, n)}`)
    io.out(`${shown.join(', ')}: `)
    io.out(`${counted(problems.length, 'problem')}, ${counted(notices.length, 'notice')}\n`)
  }
  return problems.length === 0 ? 0 : 1
}

async function check(languages: readonly Creates[], flags: Flags, io: Io): Promise<readonly [Content, Found]> {
  const { checkContent } = await import('../../packs/check.ts')
  const { checkSecrets } = await import('../check-secrets.ts')
  const { checkSources } = await import('../check-sources.ts')
  const { queryNoticesOf } = await import('../query-notices.ts')
  const { tableKeyNotices } = await import('../table-key-notices.ts')
  const { compileContent, loadPath } = await import('../../engine/path.ts')
  const { scope, packProblems } = await selectContent(flags, io)
  const { selected, content } = scope
  const config = readConfig(flags, io)
  const { sources, destinations, data_dir: dataFolder } = config
  const whole = await loadPath(
    { content: contentFolders(config), data_dir: dataFolder, enabled_packs: config.enabled_packs },
    join(cacheFolder(io.env), 'content'),
  )
  const compiled = compileContent(content)
  const schemas = new Map([...whole.schemas, ...compiled.schemas])
  const known = { content: union(content, whole.content), schemas, tables: whole.tables }
  const compiledFolder = join(cacheFolder(io.env), 'python')
  const world = { known, sources, destinations }
  const { withOverrides } = await import('../../packs/overrides.ts')
  const only = (overrides: Content['overrides'], of: Content) => withOverrides({ ...of, overrides, problems: [], notices: [] })
  // An override may apply to a rule in another root than the one being checked.
  const overrides = only(selected.overrides, known.content)
  const found = await checkContent(only(overrides.overrides, selected), { languages, world, dataFolder, compiledFolder })
  const file = resolve(flags.config ?? DEFAULT_FILE)
  const ofConfiguration = [
    ...packProblems,
    ...(flags.path === undefined ? await checkSources(sources, { ...whole, ...known }) : []),
    ...(flags.path === undefined ? await checkSecrets(config, io.env) : []),
  ]
  return [
    selected,
    {
      problems: [
        ...ofConfiguration.map((message) => ({ file, line: undefined, message })),
        ...scope.problems,
        ...scope.schemaProblems,
        ...ofCompiling(compiled.problems, selected, [...scope.schemaProblems, ...found.problems]),
        ...overrides.problems,
        ...found.problems,
      ],
      notices: [
        ...unpulled(config),
        ...(flags.path === undefined ? tableKeyNotices(whole, config.keys) : []),
        ...selected.notices,
        ...overrides.notices,
        ...found.notices,
        ...(await queryNoticesOf(scope, { ...whole, schemas }, sources)),
      ],
    },
  ]
}

/** Why a schema that is well-formed cannot be compiled here, such as the missing secret of a mask. */
function ofCompiling(problems: LoadedContent['problems'], { schemas }: Content, known: readonly Problem[]): Problem[] {
  const files = new Set(schemas.map(({ file }) => file))
  const isKnown = (one: Problem) => known.some(({ file, message }) => file === one.file && message === one.message)
  return problems
    .map(({ file, message }) => ({ file, line: undefined, message }))
    .filter((one) => files.has(one.file) && !isKnown(one))
}

/** The union of what is checked and what `caracal up` would load. */
function union(content: Content, whole: Content): Content {
  const { problems, notices, ...kinds } = content
  const all = Object.entries(kinds).map(([kind, items]) => [kind, [...(whole[kind as keyof typeof kinds] ?? []), ...items]])
  return { ...content, ...Object.fromEntries(all) }
}

/** `scheduled_queries`: `scheduled query` for one, otherwise `scheduled queries`. */
function nounOf(kind: string, n: number): string {
  const noun = kind.replaceAll('_', ' ')
  return n === 1 ? noun.replace(/ies$/, 'y').replace(/s$/, '') : noun
}

/** Always counts rules, schemas and tables; other kinds if there are any. */
function countsOf(content: Content): Record<string, number> {
  const { rules, schemas, tables } = content
  const others = {
    scheduled_rules: content.scheduledRules.length,
    policies: content.policies.length,
    correlation_rules: content.correlationRules.length,
    data_models: content.dataModels.length,
    scheduled_queries: content.scheduledQueries.length,
    saved_queries: content.savedQueries.length,
    dashboards: content.dashboards.length,
  }
  const some = Object.entries(others).filter(([, count]) => count > 0)
  return { rules: rules.length, schemas: schemas.length, tables: tables.length, ...Object.fromEntries(some) }
}
