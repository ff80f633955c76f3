/** How often the values of one of a rule's `SummaryAttributes` occurred in an alert's matches. */
export interface SummaryCounts {
  readonly attribute: string
  /**
   * Value, upper limit of its matches, and by how much that may be too high. Once there are `MAX_COUNTED` values, a further one takes
   * over the count of the rarest, so frequent values are never missed. Source: Metwally et al., "Efficient Computation of Frequent and
   * Top-k Elements in Data Streams", 2005.
   */
  values: [value: string, most: number, error: number][]
}

/** The most frequent values of a summary attribute. */
export interface Summary {
  readonly attribute: string
  /** The most frequent first, with the number of matches that have it; if `isEstimated`, with the least number that is certain. */
  readonly values: readonly { readonly value: string; readonly count: number }[]
  /** There were more values than can be counted one by one. */
  readonly isEstimated: boolean
}

/** Values counted for each attribute. */
export const MAX_COUNTED = 100
/** Values shown for each attribute. */
const TOP = 5

/** The most frequent values of attributes that have any. */
export function topValues(counts: readonly SummaryCounts[] = []): Summary[] {
  return counts
    .filter(({ values }) => values.length > 0)
    .map(({ attribute, values }) => ({
      attribute,
      values: values
        .map(([value, most, error]) => ({ value, count: most - error }))
        .sort((a, b) => b.count - a.count)
        .slice(0, TOP),
      isEstimated: values.some(([, , error]) => error > 0),
    }))
}

/** The values with their counts on one line: `10.0.0.1 (12), 10.0.0.2 (3)`. */
export function summaryLine({ values, isEstimated }: Summary): string {
  return values.map(({ value, count }) => `${value} (${isEstimated ? 'at least ' : ''}${count})`).join(', ')
}
