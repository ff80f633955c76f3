/** The path, in order. Start reading here. */
export const STAGES = ['source', 'parse', 'normalise', 'enrich', 'detect', 'alert', 'deliver', 'store'] as const
