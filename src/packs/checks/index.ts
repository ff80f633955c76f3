import type { Content } from '../content.ts'
import { checkChains } from './chains.ts'
import type { Check, Found, World } from './check.ts'
import { checkDestinations } from './destinations.ts'
import { checkEnrichments } from './enrichments.ts'
import { checkEventColumns } from './event-columns.ts'
import { checkLogTypes } from './log-types.ts'
import { checkReferences } from './references.ts'
import { checkSelectors } from './selectors.ts'

const checks: readonly Check[] = [
  checkLogTypes,
  checkDestinations,
  checkReferences,
  checkEnrichments,
  checkSelectors,
  checkChains,
  checkEventColumns,
]

/**
 * Checks that every name in the content refers to something. `caracal validate` fails for a problem, `caracal up` starts anyway and shows
 * it in health.
 */
export function checkNames(content: Content, world: World): Found {
  const found = checks.map((check) => check(content, world))
  return { problems: found.flatMap(({ problems }) => problems), notices: found.flatMap(({ notices }) => notices) }
}
