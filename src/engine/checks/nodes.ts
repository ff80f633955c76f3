import { systemProblem } from '../../model/system-problem.ts'
import { MISSING_MS, type StoredNode } from '../../state/nodes.ts'
import type { Check } from './check.ts'

/** Checks that every node which was not stopped is still there. */
export function nodeCheck(nodes: () => Promise<readonly StoredNode[]>): Check {
  return {
    name: 'the nodes',
    async run() {
      const missing = (await nodes()).filter(({ silentMs }) => silentMs >= MISSING_MS)
      return missing.map(({ name, roles, silentMs }) => {
        const minutes = Math.floor(silentMs / 60_000)
        return systemProblem('NodeMissing', name, `The node ${name} (${roles.join(', ')}) has not been seen for ${minutes} min`)
      })
    },
  }
}
