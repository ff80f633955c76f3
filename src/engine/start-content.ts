import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { environment, resolveSecret } from '../config/env.ts'
import { httpSettings } from '../config/http.ts'
import { nodeName } from '../config/node.ts'
import { contentRoots } from '../packs/load.ts'
import { ContentWatch } from '../packs/watch.ts'
import type { Log } from '../telemetry/log.ts'
import { messageOf } from '../util/errors.ts'
import { takeOverEdits } from './console-edits.ts'
import { CONTENT_NODE } from './content-nodes.ts'
import { contentPlaces } from './content-places.ts'
import type { Events } from './events.ts'
import { GitRoots } from './git/roots.ts'
import type { Active } from './lease.ts'
import { viewState } from './state-place.ts'

/** Maximum number of files that a message names. */
const NAMED = 5

/** What pulls content from git. */
export async function openGit(config: Config, { problems }: Events): Promise<GitRoots> {
  const env = environment()
  const made = new GitRoots({
    content: config.content,
    dataDir: config.data_dir,
    access: ({ password }) => ({
      http: httpSettings(config.http, env),
      path: env['PATH'] ?? '',
      password: password && resolveSecret(password, env),
    }),
    onProblems: (now) => problems.report('git', now),
  })
  await made.prepare()
  return made
}

/** Started before content is loaded, so that edits during startup are not missed; those made on other nodes are taken over first. */
export async function noteContent(config: Config, { meta }: Pick<Active, 'meta'>, log: Log): Promise<ContentWatch | undefined> {
  const before = await meta(CONTENT_NODE)
  if (before !== undefined && before !== nodeName(config)) await takeOver(config, before, log)
  if (!config.watch_content) return undefined
  // Content from git only changes when it is pulled. `content` in the working folder may be created later.
  const configured = config.content.filter((entry) => typeof entry === 'string')
  const folders = new Set([...contentRoots(configured), resolve('content')])
  const watch = new ContentWatch([...folders], { without: [config.data_dir] })
  await watch.note()
  return watch
}

async function takeOver(config: Config, before: string, log: Log): Promise<void> {
  const state = viewState(config)
  try {
    const files = await takeOverEdits(state, contentPlaces(config))
    if (files.length === 0) return
    const named = `${files.slice(0, NAMED).join(', ')}${files.length > NAMED ? ` and ${files.length - NAMED} more` : ''}`
    log.info({ files }, `Took over what was changed in the console while ${before} was active: ${named}`)
  } catch (error) {
    // What is missing is reported once content is loaded; nothing else depends on it.
    log.warn(
      { err: error },
      `Changes made in the console while ${before} was active could not be taken over: ${messageOf(error)}`,
    )
  } finally {
    await state.destroy()
  }
}
