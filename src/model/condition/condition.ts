/**
 * The one form that detection languages compile to: plain data, exact JSON in and out. `compile.ts` turns it into a predicate,
 * `witnesses.ts` into what an index of rules needs, `values.ts` says how values compare.
 *
 * **A missing field** (no such key, or something other than an object or a list on the way) satisfies no test, so a negated
 * test holds for it. `null` and `nullOrEmpty` are the exception: a missing field has no value, so they hold. A key that is there with
 * `null` in it exists. A value of a type that a test cannot use does not satisfy it and is never an error.
 *
 * **Several values**: a path with a wildcard gives all values found. A test holds when one of them satisfies it, its negation
 * when none does. `null` and `nullOrEmpty` hold when no value is other than that.
 */
export type Condition =
  | { readonly op: 'always'; readonly value: boolean }
  /** `and` of nothing holds, `or` and `onlyOne` of nothing do not, `none` of nothing holds. */
  | { readonly op: 'and' | 'or' | 'onlyOne' | 'none'; readonly of: readonly Condition[] }
  | { readonly op: 'not'; readonly of: Condition }
  /** The field's value against a constant. */
  | {
      readonly op: 'compare'
      readonly test: Comparison
      readonly field: Field
      readonly value: Scalar
      readonly ignoreCase?: boolean
    }
  /** Equal to one of the constants. */
  | { readonly op: 'in'; readonly field: Field; readonly values: readonly Scalar[]; readonly ignoreCase?: boolean }
  /** The left field's value against the right field's: does not hold when either is missing. */
  | {
      readonly op: 'compareFields'
      readonly test: Comparison
      readonly left: Field
      readonly right: Field
      readonly ignoreCase?: boolean
    }
  | { readonly op: 'exists' | 'null' | 'nullOrEmpty'; readonly field: Field }
  /** The text has a character beyond ASCII. */
  | { readonly op: 'beyondAscii'; readonly field: Field }
  /** The text is an IP address of the kind; see `address.ts`. */
  | { readonly op: 'address'; readonly field: Field; readonly kind: AddressKind }
  /** The text is an IP address within one of the networks (`10.0.0.0/8`); a text that is no network contains nothing. */
  | { readonly op: 'network'; readonly field: Field; readonly networks: readonly string[] }
  /** The whole text fits one of the patterns, in which `*` stands for any text, also none. */
  | { readonly op: 'pattern'; readonly field: Field; readonly patterns: readonly string[] }
  /**
   * How many elements of a list satisfy `where`, in which paths begin at the element. `any`: one or more; `all`: each, also of an
   * empty list; `onlyOne`: exactly one; `none`: no element, also when there is no list. The others do not hold without a list.
   * The values that a path with a wildcard finds count as elements, and those that are lists contribute theirs.
   */
  | { readonly op: 'elements'; readonly quantifier: Quantifier; readonly field: Field; readonly where: Condition }

/**
 * `equals` as Python's `==`: `1`, `1.0` and `true` are equal, `"1"` and `1` are not. `starts` and `ends`: texts. `contains` as Python's
 * `in`: a part of a text, an element of a list, a key of an object. The others order numbers (`true` is 1) or texts (by code
 * point) among themselves.
 */
export type Comparison = 'equals' | 'starts' | 'ends' | 'contains' | 'greater' | 'greaterOrEqual' | 'less' | 'lessOrEqual'

export type AddressKind = 'any' | 'v4' | 'v6' | 'public' | 'private'

export type Quantifier = 'any' | 'all' | 'none' | 'onlyOne'

export type Scalar = string | number | bigint | boolean | null

/** A step of a path: a name in an object, an index in a list, or `null` for every element of a list. */
export type Segment = string | number | null

/** Where a value is found. */
export type Field =
  | {
      readonly kind: 'path'
      /** None: the event (or element) itself. */
      readonly segments: readonly Segment[]
      /** Names are matched as written. Otherwise, at each level, the exact name, else the first that differs in case only. */
      readonly exactCase?: boolean
      /** Names are matched as written, and lists, on the way and at the end, are gone through besides: no step is an index. */
      readonly walk?: boolean
    }
  /** In the row or rows (all of them) that a table gave for a selector; always of the whole event, inside `where` too. */
  | { readonly kind: 'enrichment'; readonly table: string; readonly selector: string; readonly segments: readonly Segment[] }
