import { readFile } from 'node:fs/promises'
import { dirname, posix } from 'node:path'
import { YamlError, YamlFile } from '../../packs/yaml-file.ts'
import { messageOf, Refused } from '../../util/errors.ts'
import { hash16 } from '../../util/hash.ts'
import type { ContentPlace } from '../content-places.ts'
import type { RuleView } from '../rule-views.ts'
import { type Located, locate, readOnlyReason } from './places.ts'

/** The files of a rule as they are on disk. */
export interface RuleText {
  readonly root: string
  /** Paths inside the root. */
  readonly path: string
  readonly yaml: string
  /** Absent: the rule has no code file, or runs that of another rule. */
  readonly code: { readonly path: string; readonly text: string } | undefined
  /** Hash of both texts: a change names the one that it is based on. */
  readonly revision: string
  /** Why the files cannot be edited; `undefined`: they can. */
  readonly readOnly: string | undefined
}

/** A rule that is written or tried out: its YAML, and its code if the YAML names a file for it. */
export interface RuleDraft {
  readonly yaml: string
  readonly code: string | undefined
}

/** What a draft says about itself. */
export interface DraftFacts {
  readonly id: string
  /** The code file, relative to the YAML file. */
  readonly filename: string | undefined
}

/** Rejects with `Refused` if a file cannot be read. */
export async function readRule(rule: RuleView, places: readonly ContentPlace[]): Promise<RuleText & { readonly at: Located }> {
  const at = locate(rule.file, places)
  if (!at) throw new Refused(`the rule '${rule.id}' has no file: it is part of Caracal`)
  const yaml = await textOf(rule.file)
  const codeAt = rule.codeFile !== undefined && rule.baseDetection === undefined ? locate(rule.codeFile, places) : undefined
  const code = codeAt && { path: codeAt.path, text: await textOf(rule.codeFile!) }
  const revision = revisionOf({ yaml, code: code?.text })
  return { root: at.place.name, path: at.path, yaml, code, revision, readOnly: readOnlyReason(at.place), at }
}

export function revisionOf({ yaml, code }: RuleDraft): string {
  return hash16(yaml, code ?? '')
}

/** Throws `Refused` if the YAML cannot be read or is not that of a rule. */
export function factsOf({ yaml, code }: RuleDraft): DraftFacts {
  const value = documentOf(yaml)
  const [id, filename] = [value['RuleID'] ?? value['PolicyID'], value['Filename']]
  if (typeof id !== 'string' || id === '') throw new Refused('the YAML has no RuleID or PolicyID: add one')
  if (code !== undefined && typeof filename !== 'string')
    throw new Refused('there is code, but the YAML names no file for it: add `Filename: NAME.py`, or leave the code out')
  return { id, filename: typeof filename === 'string' ? filename : undefined }
}

/** A YAML text that has to be a map. Throws `Refused`. */
export function documentOf(yaml: string): Readonly<Record<string, unknown>> {
  try {
    const { value } = new YamlFile(yaml)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    const where = error.line === undefined ? '' : `line ${error.line}: `
    throw new Refused(`the YAML cannot be read: ${where}${messageOf(error)}`, { cause: error })
  }
  throw new Refused('the YAML is not a map of keys and values')
}

/** The code file of a YAML file in a root. Throws `Refused` if it is outside of the root. */
export function codePath(yamlPath: string, filename: string): string {
  const path = posix.normalize(posix.join(dirname(yamlPath), filename))
  if (filename.startsWith('/') || path.startsWith('../'))
    throw new Refused(`Filename: '${filename.slice(0, 200)}' is outside of the content folder`)
  return path
}

export async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new Refused(`the file cannot be read: ${messageOf(error)}`)
  })
}
