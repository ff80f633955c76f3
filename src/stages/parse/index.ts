import { json } from './json.ts'
import { zeekTsv } from './zeek-tsv.ts'

/** Formats, in the order in which they are tried. */
export const formats = [zeekTsv, json] as const
