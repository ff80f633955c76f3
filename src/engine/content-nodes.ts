import type { ContentCause } from '../model/content-history.ts'
import { systemProblem } from '../model/system-problem.ts'
import type { Problems } from './problems.ts'

/** Key in `meta`: the node whose content was recorded last. */
export const CONTENT_NODE = 'content_node'
const REPORTER = 'content-nodes'
/** Maximum number of files that are named. */
const NAMED = 5

interface Meta {
  readonly getMeta: (key: string) => Promise<string | undefined>
  readonly setMeta: (key: string, value: string) => Promise<void>
}

/**
 * Reports it if a node becomes active whose folders have other content than those of the one before: edits in the console are in the
 * files of one node. Called with each change of content that was recorded, and the files in folders that differ. What is
 * changed afterwards, on this node, ends the problem.
 */
export function contentNodes(node: string, { getMeta, setMeta }: Meta, problems: Pick<Problems, 'report'>) {
  return async (cause: ContentCause, files: readonly string[]): Promise<void> => {
    const before = await getMeta(CONTENT_NODE)
    const isOther = cause === 'start' && before !== undefined && before !== node
    if (isOther && files.length > 0) {
      const more = files.length > NAMED ? ` and ${files.length - NAMED} more` : ''
      const message = `${node} has become active with other content than ${before} had: ${files.slice(0, NAMED).join(', ')}${more}`
      problems.report(REPORTER, [systemProblem('ContentDiffers', node, message)])
    } else if (files.length > 0) problems.report(REPORTER, [])
    if (before !== node) await setMeta(CONTENT_NODE, node)
  }
}
