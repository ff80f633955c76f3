import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { configurationPage } from '../scripts/lib/configuration-page.mjs'
import { configSchema } from '../src/config/config.ts'
import { DEAD_LETTER_REASONS } from '../src/model/outcome.ts'
import { PROBLEM_KINDS } from '../src/model/system-problem.ts'
import { matchTable } from '../src/pipeline/rows.ts'
import { compileSchema } from '../src/stages/normalise/compile.ts'
import { DATABASES } from '../src/stages/store/ddl.ts'
import { createIndicators } from '../src/stages/store/indicators.ts'

const root = join(import.meta.dirname, '..')
const src = join(root, 'src')

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => `docs/${file}`),
]
  .filter((file) => file.endsWith('.md'))
  .map((file) => ({ file, text: read(file) }))

const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => readFileSync(join(src, file), 'utf8'))
const cli = readdirSync(join(src, 'cli'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => read(`src/cli/${file}`))
  .join('\n')

/** First cells of a table's rows that are a code span, in the part of a document after a heading. */
function listed(text: string, heading: string): string[] {
  const section = text.split(/^#{1,3} /m).find((part) => part.startsWith(heading)) ?? ''
  return [...section.matchAll(/^\| ([^|]*) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!),
  )
}

/** The ids that GitHub assigns to the headings of a document. */
function anchors(text: string): Set<string> {
  const headings = [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!)
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

describe.each(documents)('$file', ({ file, text }) => {
  test('every path it names exists', () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path]) => join(dirname(file), path!))
    const spans = [...text.matchAll(/`((?:src|test|docs|packs|scripts|bench|bin|examples)\/[\w./-]+)`/g)].map(([, path]) => path!)
    expect([...links, ...spans].filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  test('every section it links to exists', () => {
    const links = [...text.matchAll(/\]\(([^)#:]*)#([^)]*)\)/g)].map(([, path, id]) => [
      path ? join(dirname(file), path) : file,
      id!,
    ])
    expect(links.filter(([path, id]) => !anchors(read(path!)).has(id!))).toEqual([])
  })

  test('every npm script it names exists', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(test|start)\b)/g)].map(([, run, own]) => run ?? own!)
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
  })

  test('every command and option of caracal it names exists', () => {
    const commands = new Set(
      [...read('src/cli/main.ts').matchAll(/^ {2}(?:'([\w-]+)'|([\w-]+)): async/gm)].map(([, quoted, bare]) => quoted ?? bare),
    )
    const calls = [...text.matchAll(/(?:`|^ *|\$ |\| ?)(?:npx |node bin\/)?caracal(?:\.js)? ([a-z][\w-]*)([^`\n]*)/gm)]
    expect(calls.map(([, command]) => command).filter((command) => !commands.has(command))).toEqual([])
    const options = calls.flatMap(([, , rest]) => [...rest!.matchAll(/(?<=\s)--([a-z][a-z-]+)/g)].map(([, option]) => option!))
    expect(options.filter((option) => !cli.includes(`--${option}`))).toEqual([])
  })
})

test.each(
  documents.flatMap(({ file, text }) =>
    [...text.matchAll(/^```yaml\n((?:sources|destinations):\n[\s\S]*?)^```$/gm)].map(([, yaml]) => ({ file, yaml: yaml! })),
  ),
)('a configuration in $file is accepted: $yaml', ({ yaml }) => {
  expect(configSchema.safeParse(parse(yaml)).error?.issues).toBeUndefined()
})

test('every page can be reached by links from the README', () => {
  const texts = new Map(documents.map(({ file, text }) => [file, text]))
  const reached = new Set(['README.md'])
  for (const file of reached)
    for (const [, path] of (texts.get(file) ?? '').matchAll(/\]\(([^)#:]+\.md)(?:#[^)]*)?\)/g))
      reached.add(join(dirname(file), path!))
  const missing = [...texts.keys()].filter((file) => !reached.has(file) && !file.startsWith('docs/decisions/'))
  expect(missing).toEqual([])
})

test('docs/configuration.md is what `node scripts/configuration.mjs` generates from the schema', () => {
  expect(read('docs/configuration.md')).toBe(configurationPage(z.toJSONSchema(configSchema, { io: 'input' })))
})

describe('docs/errors.md', () => {
  test('has a row for every error code, and no other', () => {
    const patterns = [
      /super\('([a-z_]+)',/g,
      /new ApiError\(\s*\d+,\s*'([a-z_]+)'/g,
      /new CaracalError\(\s*'([a-z_]+)'/g,
      /\.code \?\? '([a-z_]+)'/g,
      /problemResponse\(\s*\d+,\s*'([a-z_]+)'/g,
      /\bcode: '([a-z_]+)'/g,
    ]
    const codes = new Set(
      sources.flatMap((text) => patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code]) => code!))),
    )
    // Zod's code of an issue that one of our schemas raises.
    codes.delete('custom')
    expect(
      listed(read('docs/errors.md'), 'Errors')
        .filter((code) => /^[a-z_]+$/.test(code))
        .sort(),
    ).toEqual([...codes].sort())
  })

  test('has a row for every reason of a dead letter, and no other', () => {
    expect(listed(read('docs/errors.md'), 'Why a record')).toEqual([...DEAD_LETTER_REASONS])
  })
})

test('docs/health.md has a row for every system alert, with its severity, meaning and advice, and no other', () => {
  const rows = [...read('docs/health.md').matchAll(/^\| `(\w+)` \| ([A-Z]+) \| (.*) \| (.*) \|$/gm)]
  expect(rows.map(([, name, severity, meaning, advice]) => ({ name, severity, meaning, advice }))).toEqual(
    Object.entries(PROBLEM_KINDS).map(([name, { severity, meaning, advice }]) => ({ name, severity, meaning, advice })),
  )
})

describe('the path', () => {
  const order = /^[a-z]+(?: → [a-z]+){3,}$/m

  test('has the same order in README and architecture, and a folder of src/stages for each word', () => {
    const words = order.exec(read('docs/architecture.md'))![0]
    expect(read('README.md')).toContain(words)
    expect(words.split(' → ').sort()).toEqual(readdirSync(join(src, 'stages')).sort())
  })

  test('is quoted in architecture exactly as in the code', () => {
    const [code] = /^export async function takePath[\s\S]*?^}$/m.exec(read('src/pipeline/path.ts'))!
    expect(read('docs/architecture.md')).toContain(`\`\`\`ts\n${code}\n\`\`\``)
  })
})

describe('docs/lake.md', () => {
  const schema = compileSchema({ schema: 'Any.Log', fields: [{ name: 'own', type: 'string' }] }, { file: 'any.yml' })
  const standard = schema.columns.map(({ name }) => name).filter((name) => name !== 'own')

  test('has a row for every standard column, in their order, and no other', () => {
    expect(listed(read('docs/lake.md'), 'Standard columns')).toEqual(standard)
  })

  test('has a row for every further column of a match, and no other', () => {
    const own = matchTable(schema).columns.slice(schema.columns.length)
    expect(listed(read('docs/lake.md'), 'Columns of a match')).toEqual(own.map(({ name }) => name))
  })

  test('has a row for every column of the index of indicators, in their order, and no other', () => {
    const [, columns] = /\((.*)\) ENGINE/s.exec(createIndicators({ fsync: true }))!
    const names = columns!.split(/, (?=[a-z_]+ [A-Z])/).map((column) => column.split(' ')[0])
    expect(listed(read('docs/lake.md'), 'Indicators')).toEqual(names)
  })

  test('has a row for every database that queries reach', () => {
    expect(listed(read('docs/lake.md'), 'The lake').filter((name) => !name.includes('.') && !name.includes('Z'))).toEqual([
      ...DATABASES,
    ])
  })
})

test('docs/architecture.md stays short enough to read in about ten minutes, quoted code aside', () => {
  const prose = read('docs/architecture.md').replace(/^```ts\n[\s\S]*?^```\n/gm, '')
  expect(prose.split(/\s+/).length).toBeLessThan(2600)
})

test('docs/component-spec.md names tests that exist', () => {
  const rows = [...read('docs/component-spec.md').matchAll(/^\| .*MUST.* \| `([^`]+)`: (.+) \|$/gm)].map(([, file, title]) => ({
    file: file!,
    title: title!,
  }))
  expect(rows.length).toBeGreaterThan(20)
  expect(rows.filter(({ file, title }) => !existsSync(join(root, file)) || !read(file).includes(title))).toEqual([])
})

test('docs/decisions/0003-dependencies.md has a row for every dependency, and no other', () => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
    string,
    Record<string, string>
  >
  const named = listed(read('docs/decisions/0003-dependencies.md'), '0003')
  expect(named.sort()).toEqual(Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies }).sort())
})

test('decisions are numbered without gaps', () => {
  const numbers = readdirSync(join(root, 'docs/decisions')).map((file) => file.slice(0, 4))
  expect(numbers.sort()).toEqual(numbers.map((_, at) => String(at + 1).padStart(4, '0')))
})

test('every section that the configuration page refers to exists', () => {
  const page = read('docs/configuration.md')
  const sections = new Set([...page.matchAll(/^(?:## |#### .*, `)(\w+)(?:`(?: of type `\w+`)?)?$/gm)].map(([, key]) => key))
  const referring = [...page.matchAll(/^\| `(\w+)` \| [^|]*see below/gm)].map(([, key]) => key)
  expect(referring).not.toEqual([])
  expect(referring.filter((key) => !sections.has(key))).toEqual([])
})
