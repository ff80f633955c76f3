import { json } from './json.ts'
import { zeekTsv } from './zeek-tsv.ts'

/** Formats, in the order in which a line is offered to them. */
export const formats = [zeekTsv, json] as const
