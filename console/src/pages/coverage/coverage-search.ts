/** A cell of the matrix that is open, as it is in the page's URL. */
export interface CoverageSearch {
  tactic?: string
  technique?: string
}

export function readCoverageSearch({ tactic, technique }: Record<string, unknown>): CoverageSearch {
  const search: CoverageSearch = {}
  if (typeof tactic === 'string' && /^TA\d{4}$/.test(tactic)) search.tactic = tactic
  if (typeof technique === 'string' && /^T\d{4}(\.\d{3})?$/.test(technique)) search.technique = technique
  return search
}
