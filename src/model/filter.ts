/** A test of one field of an event; with several keys, all must hold. */
export interface FieldTest {
  /** Names joined by dots. */
  readonly field: string
  readonly in?: readonly (string | number | boolean)[] | undefined
  readonly starts?: string | undefined
  readonly contains?: string | undefined
  readonly ends?: string | undefined
  readonly above?: number | undefined
  readonly below?: number | undefined
  readonly networks?: readonly string[] | undefined
  readonly exists?: boolean | undefined
}

/** What a filter is about: the text of a record, or the fields of its event. */
export interface FilterTest {
  /** Texts, one of which the record contains. */
  readonly contains?: readonly string[] | undefined
  /** An expression in RE2 syntax that matches within the record. */
  readonly matches?: string | undefined
  /** Only events of these log types are concerned. */
  readonly log_types?: readonly string[] | undefined
  /** All of these hold. */
  readonly where?: readonly FieldTest[] | undefined
}

/** Decides which records of a source are not stored. One of `exclude` and `include` is set. */
export interface Filter {
  /** Counted under this name. */
  readonly name: string
  /** Records that fit are left out. */
  readonly exclude?: FilterTest | undefined
  /** Records that do not fit are left out. */
  readonly include?: FilterTest | undefined
}

/** Keeps a share of the records. */
export interface Sampling {
  /** Between 0 and 1. */
  readonly keep: number
  /** Only events of these log types are sampled; all if absent. */
  readonly log_types?: readonly string[] | undefined
}
