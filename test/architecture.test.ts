import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

/**
 * Folder of src → the folders it may import, bottom to top. `?` = types only. Its own folder is always allowed; one stage never
 * imports another.
 */
const MAY_IMPORT: Readonly<Record<string, string>> = {
  client: '',
  model: '',
  util: 'model?',
  sdk: 'model?',
  telemetry: 'util',
  stages: 'model telemetry util',
  pipeline: 'stages model telemetry util',
  state: 'pipeline? stages? model telemetry util',
  packs: 'stages model telemetry util',
  config: 'stages model util',
  engine: 'config packs state pipeline stages model telemetry util',
  api: 'engine? config packs state? stages? model telemetry util',
  cli: 'api engine config packs state pipeline stages sdk model telemetry util',
}

const src = join(import.meta.dirname, '../src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => ({ file, text: withoutComments(readFileSync(join(src, file), 'utf8')) }))

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

interface Import {
  readonly target: string
  readonly isType: boolean
}

/** Relative imports of a file, static and dynamic, with paths from src. */
function importsOf(file: string, text: string): Import[] {
  const statement =
    /^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s*['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]|^\s*import\s+['"](\.[^'"]+)['"]/gm
  return [...text.matchAll(statement)].map(([, type, named, dynamic, bare]) => ({
    target: relative(src, join(src, dirname(file), (named ?? dynamic ?? bare)!)),
    isType: type !== undefined,
  }))
}

/** `stages/parse/csv.ts` → `stages/parse`, `engine/start.ts` → `engine`. */
function ownerOf(file: string): string {
  const [first = '', second = ''] = file.split('/')
  return first === 'stages' ? `stages/${second}` : first
}

function breach(file: string, { target, isType }: Import): string | undefined {
  const [from, to] = [ownerOf(file), ownerOf(target)]
  const [fromTop, toTop] = [from.split('/')[0]!, to.split('/')[0]!]
  const allowed = (MAY_IMPORT[fromTop] ?? '').split(' ')
  if (from === to || (fromTop !== toTop && (allowed.includes(toTop) || (isType && allowed.includes(`${toTop}?`)))))
    return undefined
  return `${file} imports ${target}: ${from} may not import ${to}${allowed.includes(`${toTop}?`) ? ' except its types' : ''}`
}

describe('imports', () => {
  test('the table has no cycle', () => {
    const below: string[] = []
    for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
      for (const name of allowed.split(' ').filter(Boolean)) {
        expect(below, `${folder} imports ${name}, which is not below it`).toContain(name.replace('?', ''))
      }
      below.push(folder)
    }
  })

  test('the table names every folder of src, and nothing else is in src', () => {
    expect(readdirSync(src).sort()).toEqual(Object.keys(MAY_IMPORT).sort())
  })

  test('imports only go down, and no stage imports another', () => {
    expect(files.flatMap(({ file, text }) => importsOf(file, text).flatMap((one) => breach(file, one) ?? []))).toEqual([])
  })

  test('API and CLI read state through its named queries, not with the query builder', () => {
    const seen = files.flatMap(({ file, text }) => {
      if (!/^(?:api|cli)\//.test(file)) return []
      const own = importsOf(file, text).filter(({ target }) => target.startsWith('state/') && target !== 'state/read.ts')
      return [
        ...own.map(({ target }) => `${file} imports ${target}`),
        ...(text.includes("'kysely'") ? [`${file} imports kysely`] : []),
      ]
    })
    expect(seen).toEqual([])
  })

  test('no file imports itself indirectly, type imports aside', () => {
    const values = new Map(
      files.map(({ file, text }) => [file, importsOf(file, text).flatMap((one) => (one.isType ? [] : one.target))]),
    )
    const done = new Set<string>()
    const circles: string[] = []
    function visit(file: string, path: readonly string[]): void {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      if (path.includes(file) || done.has(file)) return
      for (const target of values.get(file) ?? []) visit(target, [...path, file])
      done.add(file)
    }
    for (const { file } of files) visit(file, [])
    expect(circles).toEqual([])
  })

  const cases = [
    {
      file: 'stages/enrich/x.ts',
      text: "import { a } from '../source/lines.ts'",
      says: 'stages/enrich may not import stages/source',
    },
    { file: 'util/x.ts', text: "import { ip } from '../model/ip.ts'", says: 'util may not import model except its types' },
    {
      file: 'api/x.ts',
      text: "const { start } = await import('../engine/start.ts')",
      says: 'api may not import engine except its types',
    },
    { file: 'api/x.ts', text: "import type { Engine } from '../engine/start.ts'", says: undefined },
    { file: 'cli/commands/x.ts', text: "import {\n  a,\n  b,\n} from '../../packs/load.ts'", says: undefined },
  ]
  test.each(cases)('the check of $file with $text reports: $says', ({ file, text, says }) => {
    expect(importsOf(file, text).map((one) => breach(file, one))).toEqual([
      says === undefined ? undefined : expect.stringContaining(says),
    ])
  })
})

describe('source files', () => {
  /** What files must not contain, why, and the exceptions. */
  const BANNED = [
    { what: /\bprocess\.env\b/, except: ['config/env.ts'], because: 'the environment is read in config/env.ts and handed on' },
    { what: /^export default\b/m, except: [], because: 'a name that is exported is found by searching for it' },
    {
      what: /^export (?:type )?(?:\*|\{[^}]*\}) ?(?:as \w+ )?from/m,
      // What the package offers to others.
      except: ['client/client.ts'],
      because: 'registries list; nothing else re-exports',
    },
    { what: /@ts-(?:ignore|expect-error|nocheck)/, except: [], because: 'a type error is fixed, not hidden' },
    { what: /\b(?:TODO|FIXME|XXX)\b/, except: [], because: 'what is missing is said to the user, or done' },
    { what: /from '\.[^']*\.js'/, except: [], because: 'imports of our own files end in .ts' },
  ]
  test.each(BANNED)('do not contain $what: $because', ({ what, except }) => {
    expect(files.flatMap(({ file, text }) => (what.test(text) && !except.includes(file) ? file : []))).toEqual([])
  })

  test('are named in kebab-case', () => {
    const names = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    expect(names.filter((file) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test|\.fixture)?\.ts$/.test(basename(file)))).toEqual([])
  })

  test('stay short: none over 400 lines', () => {
    // Made from the description of the API.
    const written = files.filter(({ file }) => file !== 'client/operations.ts')
    const long = written.filter(({ file }) => readFileSync(join(src, file), 'utf8').split('\n').length > 401)
    expect(long.map(({ file }) => file)).toEqual([])
  })
})
