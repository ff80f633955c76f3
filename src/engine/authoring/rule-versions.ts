import { posix } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { FileChange, PastGeneration } from '../../model/content-history.ts'
import type { FileHistory } from '../../state/content-history.ts'
import type { StateReader } from '../../state/read.ts'
import { ConfigError, Refused } from '../../util/errors.ts'
import type { Author } from './edit.ts'
import { codePath, documentOf, type RuleText, revisionOf } from './rule-text.ts'
import type { RuleChange, SaveRule } from './rules.ts'

/** The files of a rule as they were when content came into force that changed one of them. */
export interface RuleVersion extends Omit<PastGeneration, 'files'> {
  /** What it changed. */
  readonly files: readonly FileChange[]
  /** Top-level keys of the YAML whose values it changed; empty if there was nothing to compare with. */
  readonly keys: readonly string[]
  /** The commit that the content root was at, if it is in git. */
  readonly commit: string | undefined
  /** The rule is like this now. */
  readonly isCurrent: boolean
  /** `undefined`: they are no longer stored, or too long to be. */
  readonly text: VersionText | undefined
}

interface VersionText {
  readonly yaml: string
  readonly code: { readonly path: string; readonly text: string } | undefined
}

export interface RestoreRule extends Author {
  readonly ruleId: string
  /** Of the version. */
  readonly number: string
  /** Of the rule as it is now. */
  readonly revision: string
  readonly allowFailing: boolean
}

export interface RuleVersionsDeps {
  readonly read: Pick<StateReader, 'historyOfFiles' | 'contentTexts'>
  readonly text: (ruleId: string) => Promise<RuleText>
  readonly save: (ask: SaveRule) => Promise<RuleChange>
}

/** Versions that are read, the latest: each may have a YAML file of its own to parse. */
export const MAX_VERSIONS = 200

/** Path → hash. */
type Files = ReadonlyMap<string, string>

/** Earlier versions of rules, from the history of content. A rule that is unknown is a `ConfigError`. */
export class RuleVersions {
  readonly #deps: RuleVersionsDeps

  constructor(deps: RuleVersionsDeps) {
    this.#deps = deps
  }

  /** The latest versions of a rule that are stored, newest first. They are those of its file: a rule whose file was moved starts again. */
  async list(ruleId: string): Promise<readonly RuleVersion[]> {
    const { read, text } = this.#deps
    const now = await text(ruleId)
    const ofYaml = latest(await read.historyOfFiles(now.root, [now.path]))
    const hashes = hashesIn(ofYaml.current, ofYaml.generations)
    const yamls = await this.#texts(hashes)
    const codes = hashes.map((hash) => codePathIn(yamls.documentOf(hash), now.path)).filter((path) => path !== undefined)
    const paths = new Set([now.path, ...(now.code ? [now.code.path] : []), ...codes])
    const { current, generations } = latest(await read.historyOfFiles(now.root, [...paths]))
    const texts = await this.#texts(hashesIn(current, generations))
    const versions: RuleVersion[] = []
    let after: Files = new Map(current.map(({ path, hash }) => [path, hash]))
    for (const past of generations) {
      const before = withoutChanges(after, past.files)
      const version = versionOf(past, before, after, { now, texts })
      if (version) versions.push(version)
      after = before
    }
    return versions
  }

  /** Rejects with `ConfigError` if there is no such version. */
  async get(ruleId: string, number: string): Promise<{ readonly version: RuleVersion; readonly diffs: Diffs }> {
    const version = (await this.list(ruleId)).find((one) => String(one.number) === number)
    if (!version)
      throw new ConfigError(
        `the rule '${ruleId}' has no version ${number}, or it is not among the latest ${MAX_VERSIONS} that are stored`,
      )
    const texts = await this.#texts(hashesIn([], [version]))
    const textOf = (hash: string | undefined) => (hash === undefined ? '' : texts.of(hash))
    const diffs = version.files.map((file) => ({ file, before: textOf(file.before), after: textOf(file.after) }))
    return { version, diffs }
  }

  /** Saves a rule as it was in a version: see `RuleAuthoring.save`. Rejects with `Refused` if its texts are not stored, or are those of now. */
  async restore({ ruleId, number, ...ask }: RestoreRule): Promise<RuleChange> {
    const { version } = await this.get(ruleId, number)
    if (!version.text)
      throw new Refused(`version ${number} of '${ruleId}' cannot be restored: its files are too long to be stored, or too old`)
    if (version.isCurrent) throw new Refused(`the rule '${ruleId}' is as in version ${number} already`)
    const { yaml, code } = version.text
    return this.#deps.save({ ruleId, yaml, code: code?.text, ...ask })
  }

  async #texts(hashes: readonly string[]): Promise<Texts> {
    return new Texts(await this.#deps.read.contentTexts(hashes))
  }
}

type Document = Readonly<Record<string, unknown>>

/** Stored texts by their hash; each is parsed once at most. */
class Texts {
  readonly #bytes: ReadonlyMap<string, Uint8Array>
  readonly #documents = new Map<string, Document | undefined>()

  constructor(bytes: ReadonlyMap<string, Uint8Array>) {
    this.#bytes = bytes
  }

  /** `undefined`: not stored. */
  of(hash: string): string | undefined {
    const bytes = this.#bytes.get(hash)
    return bytes && new TextDecoder().decode(bytes)
  }

  /** `undefined`: not stored, or it cannot be read, like a broken file that was in force for some time. */
  documentOf(hash: string): Document | undefined {
    if (!this.#documents.has(hash)) this.#documents.set(hash, documentIn(this.of(hash)))
    return this.#documents.get(hash)
  }
}

function latest({ current, generations }: FileHistory): FileHistory {
  return { current, generations: generations.slice(0, MAX_VERSIONS) }
}

/** Texts of files before and after; `undefined`: not stored. */
export type Diffs = readonly {
  readonly file: FileChange
  readonly before: string | undefined
  readonly after: string | undefined
}[]

function hashesIn(
  current: readonly { readonly hash: string }[],
  generations: readonly Pick<PastGeneration, 'files'>[],
): string[] {
  const changed = generations.flatMap(({ files }) => files.flatMap(({ before, after }) => [before, after]))
  return [...new Set([...current.map(({ hash }) => hash), ...changed])].filter((hash) => hash !== undefined)
}

function withoutChanges(after: Files, changes: readonly FileChange[]): Files {
  const before = new Map(after)
  for (const change of changes) {
    if (change.before === undefined) before.delete(change.path)
    else before.set(change.path, change.before)
  }
  return before
}

interface Known {
  readonly now: RuleText
  readonly texts: Texts
}

/** `undefined`: the rule did not exist, or none of what changed is part of it. */
function versionOf(past: PastGeneration, before: Files, after: Files, { now, texts }: Known): RuleVersion | undefined {
  const yamlHash = after.get(now.path)
  if (yamlHash === undefined) return undefined
  const [own, previous] = [partsOf(after, now, texts), partsOf(before, now, texts)]
  const files = past.files.filter(({ path }) => own.has(path) || previous.has(path))
  if (files.length === 0) return undefined
  const text = textIn(own, now.path, texts)
  const was = before.get(now.path)
  const { files: _, ...mark } = past
  return {
    ...mark,
    files,
    keys: changedKeys(was === undefined ? undefined : texts.documentOf(was), texts.documentOf(yamlHash)),
    commit: past.commits[now.root],
    isCurrent: text !== undefined && revisionOf({ yaml: text.yaml, code: text.code?.text }) === now.revision,
    text,
  }
}

/** The files that make up the rule, out of those that ever did. */
function partsOf(files: Files, { path }: RuleText, texts: Texts): Files {
  const yamlHash = files.get(path)
  if (yamlHash === undefined) return new Map()
  // Without the YAML it is unknown which file has the code.
  const code = codePathIn(texts.documentOf(yamlHash), path)
  const codeHash = code === undefined ? undefined : files.get(code)
  return new Map([[path, yamlHash], ...(codeHash === undefined ? [] : [[code!, codeHash] as const])])
}

function textIn(parts: Files, yamlPath: string, texts: Texts): VersionText | undefined {
  const yaml = texts.of(parts.get(yamlPath)!)
  const named = [...parts].find(([path]) => path !== yamlPath)
  if (yaml === undefined || !named) return yaml === undefined ? undefined : { yaml, code: undefined }
  const text = texts.of(named[1])
  return text === undefined ? undefined : { yaml, code: { path: named[0], text } }
}

/** The code file that a YAML file names. */
function codePathIn(document: Document | undefined, yamlPath: string): string | undefined {
  const filename = document?.['Filename']
  if (typeof filename !== 'string') return undefined
  try {
    return codePath(posix.normalize(yamlPath), filename)
  } catch (error) {
    // It was never read as code either.
    if (error instanceof Refused) return undefined
    throw error
  }
}

function changedKeys(was: Document | undefined, is: Document | undefined): string[] {
  if (!was || !is) return []
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((key) => !isDeepStrictEqual(was[key], is[key])).sort()
}

function documentIn(yaml: string | undefined): Document | undefined {
  if (yaml === undefined) return undefined
  try {
    return documentOf(yaml)
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
}
