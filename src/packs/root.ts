import { isUtf8 } from 'node:buffer'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Dashboard } from '../model/dashboard.ts'
import type { DataModel } from '../model/data-model.ts'
import type { SavedQuery, ScheduledQuery } from '../model/query.ts'
import type { HelperModule, Rule } from '../model/rule.ts'
import { messageOf } from '../util/errors.ts'
import { ContentCache } from './cache.ts'
import type { CorrelationRuleFile, Override, Pack, Problem, SchemaFile, TableFile } from './content.ts'
import { suggestion } from './issues.ts'
import type { DataModelDraft, Item, PackDraft } from './item.ts'
import { readItem } from './items.ts'
import { isOverrideFile, isStrayOverrideFile, readOverrides } from './override-file.ts'
import type { DerivedDraft, RuleDraft } from './rule-items.ts'
import { type ContentRoot, PACK, type ScannedFiles, scan } from './scan.ts'
import { hasTests, holdsContent, isMarked, withoutTests } from './text.ts'
import { isUnder } from './under.ts'
import { readYaml, YamlError, YamlFile } from './yaml-file.ts'

/** Longer files are refused. */
const MAX_CODE_BYTES = 1024 * 1024
const MAX_YAML_BYTES = 8 * 1024 * 1024

/** The contents of one content root. Derived rules wait for the rules of all roots. */
export interface LoadedRoot {
  /** Rules, scheduled rules and policies. */
  readonly rules: readonly Rule[]
  readonly derived: readonly DerivedDraft[]
  readonly correlationRules: readonly CorrelationRuleFile[]
  readonly dataModels: readonly DataModel[]
  readonly scheduledQueries: readonly ScheduledQuery[]
  readonly savedQueries: readonly SavedQuery[]
  readonly dashboards: readonly Dashboard[]
  readonly helpers: readonly HelperModule[]
  readonly schemas: readonly SchemaFile[]
  readonly tables: readonly TableFile[]
  readonly packs: readonly Pack[]
  readonly overrides: readonly Override[]
  readonly problems: readonly Problem[]
  readonly notices: readonly string[]
}

export interface RootOptions {
  /** False: without unit tests. */
  readonly tests: boolean
  /** Folder for the cache of read YAML, or `undefined`. */
  readonly cache: string | undefined
  /** Unknown keys of rules and policies are notices. */
  readonly ignoreExtraKeys: boolean
  /** Names of files to skip. */
  readonly ignore: ReadonlySet<string>
  /** Texts that are read in place of files, by absolute path; null: as if the file did not exist. */
  readonly edits: ReadonlyMap<string, string | null>
}

/** Reads one content root. Ids are unique in it, across all kinds of item; schemas have separate names. */
export async function loadRoot(root: ContentRoot, options: RootOptions): Promise<LoadedRoot> {
  const loader = new RootLoader(root, options)
  try {
    await loader.load(edited(await scanned(root, options), root, options.edits))
  } catch (error) {
    loader.problems.push({
      file: root.folder,
      line: undefined,
      message: `the content folder cannot be read: ${messageOf(error)}`,
    })
  }
  return loader
}

/** A root that only exists in edits has no folder yet. */
function scanned(root: ContentRoot, { ignore, edits }: RootOptions): Promise<ScannedFiles> | ScannedFiles {
  return edits.size > 0 && !existsSync(root.folder) ? { yaml: [], python: [] } : scan(root, ignore)
}

/** The files with those that edits add, and without those that they remove. */
function edited(files: ScannedFiles, { folder }: ContentRoot, edits: RootOptions['edits']): ScannedFiles {
  if (edits.size === 0) return files
  const added = [...edits].flatMap(([file, text]) => (text !== null && isUnder(folder, file) ? [file] : []))
  const change = (known: readonly string[], ending: RegExp) => {
    const all = new Set([...known, ...added.filter((file) => ending.test(file))])
    return [...all].filter((file) => edits.get(file) !== null)
  }
  return { yaml: change(files.yaml, /\.ya?ml$/), python: change(files.python, /\.py$/).sort() }
}

class RootLoader implements LoadedRoot {
  readonly rules: Rule[] = []
  readonly derived: DerivedDraft[] = []
  readonly correlationRules: CorrelationRuleFile[] = []
  readonly dataModels: DataModel[] = []
  readonly scheduledQueries: ScheduledQuery[] = []
  readonly savedQueries: SavedQuery[] = []
  readonly dashboards: Dashboard[] = []
  readonly helpers: HelperModule[] = []
  readonly schemas: SchemaFile[] = []
  readonly tables: TableFile[] = []
  packs: readonly Pack[] = []
  readonly overrides: Override[] = []
  readonly problems: Problem[] = []
  readonly notices: string[] = []
  readonly #root: string
  readonly #hasOverrides: boolean
  /** A file of the root is in one of these. */
  readonly #folders: readonly string[]
  readonly #tests: boolean
  readonly #ignoreExtraKeys: boolean
  readonly #edits: RootOptions['edits']
  readonly #cache: ContentCache
  /** `item` or `schema` and id → the file that has it. */
  readonly #ids = new Map<string, string>()
  readonly #packs: PackDraft[] = []
  /** Code files that an item names: they are not helpers of their folder. */
  readonly #named = new Set<string>()

  constructor({ folder: root, also = [], hasOverrides = true }: ContentRoot, options: RootOptions) {
    const { tests, cache, ignoreExtraKeys, edits } = options
    this.#root = root
    this.#hasOverrides = hasOverrides
    this.#folders = [root, ...also]
    this.#ignoreExtraKeys = ignoreExtraKeys
    this.#edits = edits
    this.#tests = tests
    this.#cache = new ContentCache(cache, root, tests)
  }

  async load(files: ScannedFiles): Promise<void> {
    for (const [at, file] of files.yaml.entries()) {
      // Reading is synchronous because that is several times faster for many small files; other tasks run in between.
      if (at % 50 === 49) await setImmediate()
      const text = this.#textOf(file, MAX_YAML_BYTES)
      if (text instanceof Error) this.#problem(file, `cannot be read: ${text.message}`)
      else if (this.#hasOverrides && isOverrideFile(file, this.#root)) this.#addOverrides(file, text)
      else this.#add(file, this.#read(file, text))
    }
    await this.#cache.save()
    this.#addNeighbours(files.python)
    this.#checkPacks()
  }

  #addOverrides(file: string, text: string): void {
    try {
      const { overrides, problems, notices } = readOverrides(file, new YamlFile(text))
      this.overrides.push(...overrides)
      this.problems.push(...problems)
      this.notices.push(...notices)
    } catch (error) {
      if (!(error instanceof YamlError)) throw error
      this.#problem(file, error.message, error.line)
    }
  }

  #read(file: string, text: string): Item {
    if (isStrayOverrideFile(file, text)) {
      const advice = this.#hasOverrides
        ? `move it to ${join(this.#root, 'overrides.yml')}`
        : `\`caracal up\` does not read this folder; move it to ${join(this.#root, 'content/overrides.yml')}, or name the folder in \`content\` of caracal.yml or with --content`
      this.#problem(file, `overrides are read from the top of a content root: ${advice}`)
      return undefined
    }
    if (!holdsContent(text)) return undefined
    const wanted = this.#tests && hasTests(text) ? text : withoutTests(text)
    try {
      return readItem(file, new YamlFile(wanted, this.#cache.json(wanted, readYaml)), this.#ignoreExtraKeys)
    } catch (error) {
      if (!(error instanceof YamlError)) throw error
      // Some other tool's YAML (templates, workflows) may be invalid YAML, which is not our concern.
      if (isMarked(text)) this.#problem(file, error.message, error.line)
      return undefined
    }
  }

  #add(file: string, item: Item): void {
    if (item === undefined) return
    if (item.kind === 'broken') {
      this.problems.push(...item.problems)
      if (item.filename !== undefined) this.#named.add(resolve(dirname(file), item.filename))
      return
    }
    // The code is checked first, since an item without code does not claim its id.
    const code = this.#codeOf(file, item)
    if (code === undefined || !this.#claim(item.kind === 'schema' ? 'schema' : 'item', item.id, file)) return
    switch (item.kind) {
      case 'rule':
        this.#addRule(item.rule, code)
        this.notices.push(...item.notices.map((notice) => `${file}: ${notice}`))
        break
      case 'derived':
        this.derived.push(item.rule)
        this.notices.push(...item.notices.map((notice) => `${file}: ${notice}`))
        break
      case 'correlation':
        this.correlationRules.push(item.rule)
        break
      case 'dataModel':
        this.#addDataModel(item.model, code)
        break
      case 'savedQuery':
        this.savedQueries.push(item.query)
        break
      case 'scheduledQuery':
        this.scheduledQueries.push(item.query)
        break
      case 'dashboard':
        this.dashboards.push(item.dashboard)
        break
      case 'global':
        this.helpers.push({ name: item.id, ...(code as CodeFile), definition: file, folder: undefined, root: this.#root })
        break
      case 'pack':
        this.#packs.push(item.pack)
        break
      case 'table':
        this.#addTable(item.id, file, item.document)
        break
      case 'schema':
        this.schemas.push({ name: item.id, file, root: this.#root, document: item.document })
        break
      case 'idle':
        this.notices.push(`${file}: ${item.notice}`)
    }
  }

  #textOf(file: string, maxBytes: number): string | Error {
    const edit = this.#edits.get(file)
    if (edit === undefined) return readText(file, maxBytes)
    return edit ?? new Error('it does not exist')
  }

  #problem(file: string, message: string, line?: number): void {
    this.problems.push({ file, line, message })
  }

  #claim(space: 'item' | 'schema', id: string, file: string): boolean {
    const holder = this.#ids.get(`${space} ${id}`)
    if (holder === undefined) this.#ids.set(`${space} ${id}`, file)
    else this.#problem(file, `the id '${id}' is already used by ${relative(this.#root, holder)}: give one of them a different id`)
    return holder === undefined
  }

  /** The code file that an item names, read; `none` if it names none, `undefined` if it cannot be used. */
  #codeOf(file: string, item: NonNullable<Item>): CodeFile | 'none' | undefined {
    const filename = filenameOf(item)
    if (filename === undefined) return 'none'
    const path = this.#inRoot(file, filename)
    if (path === undefined) return undefined
    this.#named.add(path)
    const code = this.#textOf(path, MAX_CODE_BYTES)
    if (!(code instanceof Error)) return { file: path, code }
    this.#problem(file, `Filename: '${filename}' cannot be read: ${code.message}`)
    return undefined
  }

  /** The file that an item names; `undefined`, with a problem, if it is outside of this content: it may be a secret. */
  #inRoot(file: string, filename: string): string | undefined {
    const path = resolve(dirname(file), filename)
    if (this.#folders.some((folder) => isUnder(folder, path))) return path
    this.#problem(file, `Filename: '${filename}' is outside the content root ${this.#root}: move the file into it`)
    return undefined
  }

  #addRule({ code: named, language, ...draft }: RuleDraft, code: CodeFile | 'none'): void {
    // Tests whose anchors the rest of the file uses have been read with it.
    const rule = this.#tests ? draft : { ...draft, tests: [] }
    if (code !== 'none') this.rules.push({ ...rule, source: { language, ...code } })
    else if ('text' in named) this.rules.push({ ...rule, source: { language, file: rule.file, code: named.text } })
  }

  /** The stage that uses the document has read it before. */
  #addTable(name: string, file: string, document: unknown): void {
    const { Filename: filename } = document as { readonly Filename?: string }
    if (filename === undefined || this.#inRoot(file, filename) !== undefined)
      this.tables.push({ name, file, root: this.#root, document })
  }

  #addDataModel({ filename: _, ...model }: DataModelDraft, code: CodeFile | 'none'): void {
    const taken = this.dataModels.find((other) => other.enabled && other.logTypes.some((type) => model.logTypes.includes(type)))
    if (model.enabled && taken) {
      const types = model.logTypes.filter((type) => taken.logTypes.includes(type)).join(', ')
      this.#problem(model.file, `LogTypes: '${taken.id}' is a data model of ${types} already: disable one of them`)
      return
    }
    this.dataModels.push({ ...model, root: this.#root, source: code === 'none' ? undefined : code })
  }

  #checkPacks(): void {
    const isMissing = (id: string) => !this.#ids.has(`item ${id}`) && !this.#ids.has(`schema ${id}`)
    this.packs = this.#packs.map((pack) => ({ ...pack, missing: (pack.ids ?? []).filter(isMissing) }))
    // A broken item has no id yet: follow-up errors here would only distract from it.
    if (this.problems.length > 0) return
    for (const { id, file, ids } of this.packs) {
      if (ids === undefined && basename(file) !== PACK && !this.#hasItems(dirname(file)))
        this.#problem(file, `pack '${id}' lists nothing: add PackDefinition with IDs, or put the file next to its content`)
    }
    for (const { file, missing } of this.packs) {
      for (const id of missing) {
        const advice = suggestion(
          id,
          [...this.#ids.keys()].map((key) => key.slice(key.indexOf(' ') + 1)),
        )
        this.#problem(
          file,
          `PackDefinition: there is no item '${id}' in this content root${advice || ': correct the id or remove it'}`,
        )
      }
    }
  }

  #hasItems(folder: string): boolean {
    const packs = new Set(this.packs.map(({ file }) => file))
    return [...this.#ids.values()].some((file) => !packs.has(file) && isUnder(folder, file))
  }

  /**
   * Python files next to a rule's code that belong to no item can be imported by the rules of that folder, unless a global has the same
   * name: content that also runs elsewhere can only have meant the global.
   */
  #addNeighbours(python: readonly string[]): void {
    const folders = new Set(this.rules.map((rule) => dirname(rule.source.file)))
    const globals = new Set(this.helpers.map(({ name }) => name))
    for (const file of python) {
      const name = basename(file, '.py')
      if (!folders.has(dirname(file)) || this.#named.has(file) || !/^[A-Za-z_]\w*$/.test(name)) continue
      if (globals.has(name)) {
        this.notices.push(`${file}: not importable because the global '${name}' has the same name: rename one`)
        continue
      }
      const text = this.#textOf(file, MAX_CODE_BYTES)
      if (text instanceof Error) this.#problem(file, `cannot be read: ${text.message}`)
      else this.helpers.push({ name, file, code: text, folder: dirname(file), root: this.#root })
    }
  }
}

interface CodeFile {
  readonly file: string
  readonly code: string
}

function filenameOf(item: NonNullable<Item>): string | undefined {
  switch (item.kind) {
    case 'rule':
      return 'filename' in item.rule.code ? item.rule.code.filename : undefined
    case 'dataModel':
      return item.model.filename
    case 'global':
      return item.filename
    default:
      return undefined
  }
}

/** The text of a file without its byte order mark, or why it cannot be read. */
function readText(path: string, maxBytes: number): string | Error {
  try {
    const { size } = statSync(path)
    if (size > maxBytes) return new Error(`it is ${size} bytes long; the limit is ${maxBytes}: split it`)
    const bytes = readFileSync(path)
    return isUtf8(bytes) ? bytes.toString('utf8').replace(/^\uFEFF/, '') : new Error('it is not UTF-8 text: save it as UTF-8')
  } catch (error) {
    return new Error(messageOf(error))
  }
}
