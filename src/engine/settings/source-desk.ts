import { isDeepStrictEqual } from 'node:util'
import type { SourceConfig } from '../../config/config.ts'
import { type SourceBlock, withoutSource, withSource, withSourceKeys } from '../../config/edit-sources.ts'
import { environment, resolveSecret } from '../../config/env.ts'
import { Order } from '../../pipeline/order.ts'
import { sources as definitions } from '../../stages/source/index.ts'
import { find } from '../../util/define.ts'
import { ConfigError, messageOf, Refused } from '../../util/errors.ts'
import type { ContentChange } from '../engine.ts'
import type { PipelineThread } from '../threads.ts'
import type { Intakes } from './intakes.ts'
import type { LiveSettings } from './live-settings.ts'
import type { SettingsWriter } from './settings-writer.ts'

export interface SourceDeskDeps {
  readonly live: LiveSettings
  readonly writer: SettingsWriter
  readonly pipeline: PipelineThread
  readonly intakes: Intakes
}

/** Keys that only say what becomes of records: a source that runs follows them without being opened again. */
const ABOUT_RECORDS: ReadonlySet<string> = new Set([
  ...['label', 'log_types', 'filters', 'sampling', 'drop_off_minutes', 'volume_alarm', 'sourcetypes'],
])
/** How long what a source has received may take to be read before it is removed. */
const SETTLE_MS = 10_000
/** The server waits at least this long for a request. */
const MAX_REQUEST_MS = 60_000

/** Adds, changes and removes sources while running, in the configuration file and in force. */
export class SourceDesk {
  readonly #deps: SourceDeskDeps
  readonly #order = new Order()

  constructor(deps: SourceDeskDeps) {
    this.#deps = deps
  }

  /**
   * Adds a source, written as in the configuration file. When it resolves, what is sent to the source is received. Rejects with `Refused`
   * if it cannot be used; then the file is as before.
   */
  add(block: SourceBlock, actor: string): Promise<ContentChange> {
    return this.#order.run(async () => {
      const id = String(block['id'])
      refuseType(block['type'])
      refuseTables(block)
      this.#refuseTaken(id)
      const draft = this.#deps.writer.draft((text) => withSource(text, block))
      const source = sourceIn(draft.config.sources, id)
      refuseUnusable(source)
      const running = this.#deps.live.config.sources
      const change = await this.#deps.writer.write(draft, { sources: [...running, source] }, actor)
      try {
        await this.#open(source)
      } catch (error) {
        await this.#close(id)
        await this.#deps.writer.write(
          this.#deps.writer.draft(() => draft.before),
          { sources: running },
          actor,
        )
        throw new Refused(`source '${id}' cannot be started: ${messageOf(error)}`, { cause: error })
      }
      return change
    })
  }

  /** Sets keys of a source, or removes those that are null. Rejects with `Refused` if it cannot be changed; then the file is as before. */
  change(id: string, values: SourceBlock, actor: string): Promise<ContentChange> {
    return this.#order.run(async () => {
      const { live, writer, intakes } = this.#deps
      const before = this.#own(id)
      for (const key of ['id', 'type'])
        if (key in values) throw new Refused(`\`${key}\` of a source cannot be changed: add another source, and remove this one`)
      refuseTables(values)
      const draft = writer.draft((text) => withSourceKeys(text, id, values))
      const after = sourceIn(draft.config.sources, id)
      refuseUnusable(after)
      const all = live.config.sources
      const change = await writer.write(draft, { sources: all.map((source) => (source.id === id ? after : source)) }, actor)
      if (isDeepStrictEqual(receivingOf(before), receivingOf(after))) return change
      await intakes.close(id)
      try {
        await intakes.open(after)
      } catch (error) {
        await writer.write(
          writer.draft(() => draft.before),
          { sources: all },
          actor,
        )
        await intakes.open(before)
        throw new Refused(`source '${id}' cannot be changed: ${messageOf(error)}`, { cause: error })
      }
      return change
    })
  }

  /** Removes a source; its events stay. Rejects with `Refused` while records that it received are not read yet. */
  remove(id: string, actor: string): Promise<ContentChange> {
    return this.#order.run(async () => {
      const { live, writer, intakes, pipeline } = this.#deps
      const source = this.#own(id)
      const draft = writer.draft((text) => withoutSource(text, id))
      await intakes.close(id)
      try {
        await settled(pipeline.rpc.call('settled', id), id)
      } catch (error) {
        await intakes.open(source)
        throw error
      }
      await pipeline.rpc.call('closeSource', id)
      try {
        return await writer.write(draft, { sources: live.config.sources.filter((one) => one.id !== id) }, actor)
      } catch (error) {
        await this.#open(source)
        throw error
      }
    })
  }

  /** From the last step to the first: nothing is received that is not read. */
  async #open(source: SourceConfig): Promise<void> {
    await this.#deps.pipeline.rpc.call('openSource', source)
    await this.#deps.intakes.open(source)
  }

  async #close(id: string): Promise<void> {
    const { intakes, pipeline } = this.#deps
    await intakes.close(id)
    await pipeline.rpc.call('settled', id)
    await pipeline.rpc.call('closeSource', id)
  }

  #refuseTaken(id: string): void {
    if (this.#deps.live.sources.some((source) => source.id === id)) throw new Refused(`there is a source '${id}' already`)
  }

  /** A source of the configuration that may be changed. */
  #own(id: string): SourceConfig {
    const found = this.#deps.live.config.sources.find((source) => source.id === id)
    if (!found) throw new Refused(`source '${id}' is not in the configuration file, so it cannot be changed`)
    refuseType(found.type)
    return found
  }
}

function sourceIn(sources: readonly SourceConfig[], id: string): SourceConfig {
  const found = sources.find((source) => source.id === id)
  if (!found) throw new Refused(`the configuration file has no source '${id}'`)
  return found
}

function refuseType(type: unknown): void {
  const open = definitions.filter((definition) => 'onlyReceives' in definition).map((definition) => definition.type as string)
  if (open.includes(String(type)) || !definitions.some((definition) => definition.type === type)) return
  throw new Refused(
    `a source of type '${type}' reads files, asks elsewhere or runs commands, so it can only be changed in the configuration file, followed by a restart. The API changes sources of the types ${open.join(', ')}`,
  )
}

function refuseTables(block: SourceBlock): void {
  if ('tables' in block)
    throw new Refused('`tables` names files of this machine: set it in the configuration file, and restart Caracal')
}

/** Throws `Refused` for what is otherwise found out at a start. */
function refuseUnusable(source: SourceConfig): void {
  try {
    const terms = find('source', definitions, source.type).listens?.(source as never)
    if (!terms) return
    for (const reference of [terms.token, ...(terms.secrets ?? [])]) if (reference) resolveSecret(reference, environment())
    if (terms.requestMs > MAX_REQUEST_MS)
      throw new Refused(
        `requests to source '${source.id}' could take ${terms.requestMs} ms, which the server only allows for if it is set in the configuration file before a start; without a restart, up to ${MAX_REQUEST_MS} ms are possible`,
      )
  } catch (error) {
    throw error instanceof ConfigError ? new Refused(error.message, { cause: error }) : error
  }
}

function receivingOf(source: SourceConfig): unknown {
  return Object.fromEntries(Object.entries(source).filter(([key]) => !ABOUT_RECORDS.has(key)))
}

async function settled(settling: Promise<void>, id: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const message = `source '${id}' has received records that are not read yet, so it cannot be removed now: try again later`
    timer = setTimeout(() => reject(new Refused(message)), SETTLE_MS)
  })
  await Promise.race([settling, late]).finally(() => clearTimeout(timer))
}
