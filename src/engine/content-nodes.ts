import type { ContentCause } from '../model/content-history.ts'
import { systemProblem } from '../model/system-problem.ts'
import { hash16 } from '../util/hash.ts'
import { version } from '../util/version.ts'
import type { Problems } from './problems.ts'
import type { Changeable, LiveSettings } from './settings/live-settings.ts'

/** Key in `meta`: the node whose content was recorded last. */
export const CONTENT_NODE = 'content_node'
/** Key in `meta`: a hash of each source, and of what is said about packs, of that node. */
const SETTINGS = 'content_settings'
const REPORTER = 'content-nodes'
/** Maximum number of files and sources that are named. */
const NAMED = 5

interface Settings {
  /** Of Caracal: another one may have other defaults. */
  readonly version: string
  /** In words of the user → hash. */
  readonly hashes: Readonly<Record<string, string>>
}

export interface ContentNodesDeps {
  readonly node: string
  readonly getMeta: (key: string) => Promise<string | undefined>
  readonly setMeta: (key: string, value: string) => Promise<void>
  readonly problems: Pick<Problems, 'report'>
  readonly live: Pick<LiveSettings, 'config' | 'onUse'>
}

/**
 * Reports it if a node becomes active whose folders have other content than those of the one before, or whose configuration has other
 * sources or packs: what is changed in the console is in the files of one node. Called with each change of content that was recorded, and
 * the files in folders that differ. What is changed afterwards, on this node, ends the problem.
 */
export function contentNodes({ node, getMeta, setMeta, problems, live }: ContentNodesDeps) {
  const remember = () => setMeta(SETTINGS, JSON.stringify(settingsOf(live.config)))
  live.onUse = async () => {
    problems.report(REPORTER, [])
    // The change is in force, and must not look as if it were not; without this, the next node reports too much.
    await remember().catch(() => {})
  }
  return async (cause: ContentCause, files: readonly string[]): Promise<void> => {
    const before = await getMeta(CONTENT_NODE)
    const isOther = before !== undefined && before !== node
    if (cause === 'start' && isOther) {
      const differing = [...files, ...differences(await getMeta(SETTINGS), settingsOf(live.config))]
      const more = differing.length > NAMED ? ` and ${differing.length - NAMED} more` : ''
      const message = `${node} has become active with other content than ${before} had: ${differing.slice(0, NAMED).join(', ')}${more}`
      problems.report(REPORTER, differing.length === 0 ? [] : [systemProblem('ContentDiffers', node, message)])
    } else if (files.length > 0) problems.report(REPORTER, [])
    if (cause === 'start' || before !== node) await remember()
    if (before !== node) await setMeta(CONTENT_NODE, node)
  }
}

function settingsOf({ sources, disabled_packs, enabled_packs }: Changeable): Settings {
  const named = sources.map((source) => [`source ${source.id}`, hash16(JSON.stringify(source))] as const)
  const packs = hash16(JSON.stringify([[...disabled_packs].sort(), [...enabled_packs].sort()]))
  return { version: version(), hashes: Object.fromEntries([...named, ['packs', packs]]) }
}

/** What is not the same, in words of the user. */
function differences(text: string | undefined, now: Settings): string[] {
  if (text === undefined) return []
  const before = JSON.parse(text) as Settings
  const isOther = (name: string) => before.version === now.version && before.hashes[name] !== now.hashes[name]
  const words = (name: string) => {
    if (!Object.hasOwn(now.hashes, name)) return [`${name} (missing)`]
    if (!Object.hasOwn(before.hashes, name)) return [`${name} (new)`]
    return isOther(name) ? [name] : []
  }
  return [...new Set([...Object.keys(before.hashes), ...Object.keys(now.hashes)])].sort().flatMap(words)
}
