import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { environment, resolveSecret } from '../config/env.ts'
import { httpSettings } from '../config/http.ts'
import { contentRoots } from '../packs/load.ts'
import { ContentWatch } from '../packs/watch.ts'
import type { Events } from './events.ts'
import { GitRoots } from './git/roots.ts'

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

/** Started before content is loaded, so that edits during startup are not missed. */
export async function noteContent(config: Config): Promise<ContentWatch | undefined> {
  if (!config.watch_content) return undefined
  // Content from git only changes when it is pulled. `content` in the working folder may be created later.
  const configured = config.content.filter((entry) => typeof entry === 'string')
  const folders = new Set([...contentRoots(configured), resolve('content')])
  const watch = new ContentWatch([...folders], { without: [config.data_dir] })
  await watch.note()
  return watch
}
