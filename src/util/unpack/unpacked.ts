/** The next member of an archive begins. */
export const PART = Symbol('part')

/** A piece of what was compressed. */
export type Unpacked = Buffer | typeof PART
