import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, Refused } from '../../util/errors.ts'
import { hash16 } from '../../util/hash.ts'
import type { ContentPlace } from '../content-places.ts'
import type { ContentView } from '../engine.ts'
import type { ContentProblem } from '../path.ts'
import type { Author, ContentWriter, Edit, Edited } from './edit.ts'
import { type Located, locate, ownPlace, readOnlyReason } from './places.ts'
import { documentOf, textOf } from './rule-text.ts'
import { fileNameOf } from './rules.ts'
import { compiledSchema, type SampleAnswer, type SampleAsk, testsOf } from './samples.ts'

/** The file of a schema as it is on disk. */
export interface SchemaText {
  readonly name: string
  readonly root: string
  readonly path: string
  readonly yaml: string
  readonly revision: string
  /** Why it cannot be edited; `undefined`: it can. */
  readonly readOnly: string | undefined
}

export interface SaveSchema extends Author {
  /** The schema to change; absent: any that is new. */
  readonly logType?: string
  readonly yaml: string
  /** What the change is based on; absent: the schema is new. */
  readonly revision: string | undefined
  readonly allowFailing: boolean
}

/** What became of a change to a schema. `failing`: its tests do not pass. In both other cases nothing was written. */
export type SchemaChange =
  | (Extract<Edited, { kind: 'done' }> & { readonly revision: string; readonly tests: SampleAnswer['tests'] })
  | { readonly kind: 'failing'; readonly tests: SampleAnswer['tests'] }
  | { readonly kind: 'broken'; readonly problems: readonly ContentProblem[] }
  | { readonly kind: 'conflict'; readonly message: string }

export interface SchemaAuthoringDeps {
  readonly schemas: () => ContentView['schemaFiles']
  readonly places: () => readonly ContentPlace[]
  readonly writer: Pick<ContentWriter, 'write'>
  readonly samples: (ask: SampleAsk) => Promise<SampleAnswer>
}

class Conflict extends Error {}

/** Schemas as files. Unknown schemas are a `ConfigError`, impossible requests `Refused`. */
export class SchemaAuthoring {
  readonly #deps: SchemaAuthoringDeps

  constructor(deps: SchemaAuthoringDeps) {
    this.#deps = deps
  }

  async text(name: string): Promise<SchemaText> {
    const file = this.#deps.schemas().find((one) => one.name === name)?.file
    const at = file === undefined ? undefined : locate(file, this.#deps.places())
    if (file === undefined || !at) throw new ConfigError(`there is no schema '${name}'`)
    const yaml = await textOf(file)
    return { name, root: at.place.name, path: at.path, yaml, revision: hash16(yaml), readOnly: readOnlyReason(at.place) }
  }

  /** Infers a schema from a sample, or tries one out. */
  try(ask: SampleAsk): Promise<SampleAnswer> {
    return this.#deps.samples(ask)
  }

  /** Writes a schema in place of the one with its name, or a new one. Tests in the file next to it (`NAME_tests.yml`) run first. */
  async save({ logType, yaml, revision, allowFailing, actor, message }: SaveSchema): Promise<SchemaChange> {
    const name = nameIn(yaml)
    if (logType !== undefined && name !== logType)
      throw new Refused(`the YAML is that of '${name}', not of '${logType}': create it as a new schema`)
    const known = this.#deps.schemas().find((one) => one.name === name)
    if (known && revision === undefined) return conflict(`there is a schema '${name}' already: change it instead`)
    const before = known && (await this.text(name))
    if (before && before.revision !== revision) return conflict(changed(name, revision))
    const at = this.#placeFor(name, known?.file)
    const isNew = at.place.name !== before?.root || at.path !== before.path
    const tests = await this.#tests(at, yaml)
    if (!allowFailing && tests.some(({ wrong }) => wrong.length > 0)) return { kind: 'failing', tests }
    const check = async () => {
      if (isNew && existsSync(join(at.place.folder, at.path))) throw new Conflict(`the file ${at.path} exists already`)
      if (before && (await this.text(name)).revision !== revision) throw new Conflict(changed(name, revision))
    }
    const edited = await this.#write([{ ...at, text: yaml }], { actor, message }, check)
    return edited.kind === 'done' ? { ...edited, revision: hash16(yaml), tests } : edited
  }

  #placeFor(name: string, file: string | undefined): Located {
    const places = this.#deps.places()
    const at = file === undefined ? undefined : locate(file, places)
    if (at && readOnlyReason(at.place) === undefined) return at
    if (at?.place.kind === 'git') throw new Refused(`the schema '${name}' cannot be written: ${readOnlyReason(at.place)}`)
    return { place: ownPlace(places), path: `schemas/${fileNameOf(name)}.yml` }
  }

  async #tests({ place, path }: Located, yaml: string): Promise<SampleAnswer['tests']> {
    const file = join(place.folder, path.replace(/(\.ya?ml)$/, '_tests$1'))
    const schema = compiledSchema(yaml)
    return existsSync(file) ? testsOf(schema, await textOf(file)) : []
  }

  async #write(edits: readonly Edit[], author: Author, check: () => Promise<void>) {
    try {
      return await this.#deps.writer.write(edits, author, check)
    } catch (error) {
      if (error instanceof Conflict) return conflict(error.message)
      throw error
    }
  }
}

function nameIn(yaml: string): string {
  const { schema } = documentOf(yaml)
  if (typeof schema !== 'string' || schema === '')
    throw new Refused('the YAML has no key `schema` with the name of a log type: add it')
  return schema
}

function conflict(message: string) {
  return { kind: 'conflict' as const, message }
}

function changed(name: string, revision: string | undefined): string {
  return `the schema '${name}' has changed since revision ${revision}: read it again`
}
