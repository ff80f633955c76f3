/**
 * The common form that detection languages compile to: plain data that survives exact JSON. `compile.ts` turns it into a
 * predicate, `witnesses.ts` derives what an index of rules needs, and `values.ts` defines how values compare.
 *
 * **A missing field** (no such key, or the path leads through something other than an object or a list) satisfies no test, so a
 * negated test holds for it. `null` and `nullOrEmpty` are exceptions: they hold, since a missing field has no value. A key whose
 * value is `null` exists. A value of a type that a test cannot use does not satisfy the test, but is never an error.
 *
 * **Several values**: a path with a wildcard yields all values found. A test holds if one of them satisfies it, its negation if
 * none does. `null` and `nullOrEmpty` hold if all values satisfy them.
 */
export type Condition =
  | { readonly op: 'always'; readonly value: boolean }
  /** With no operands `and` and `none` hold, `or` and `onlyOne` do not. */
  | { readonly op: 'and' | 'or' | 'onlyOne' | 'none'; readonly of: readonly Condition[] }
  | { readonly op: 'not'; readonly of: Condition }
  /** Compares the field's value with a constant. */
  | {
      readonly op: 'compare'
      readonly test: Comparison
      readonly field: Field
      readonly value: Scalar
      readonly ignoreCase?: boolean
    }
  /** Equal to one of the constants. */
  | { readonly op: 'in'; readonly field: Field; readonly values: readonly Scalar[]; readonly ignoreCase?: boolean }
  /** Compares the left field's value with the right field's; does not hold if either is missing. */
  | {
      readonly op: 'compareFields'
      readonly test: Comparison
      readonly left: Field
      readonly right: Field
      readonly ignoreCase?: boolean
    }
  | { readonly op: 'exists' | 'null' | 'nullOrEmpty'; readonly field: Field }
  /** The text contains a non-ASCII character. */
  | { readonly op: 'beyondAscii'; readonly field: Field }
  /** The text is an IP address of this kind; see `address.ts`. */
  | { readonly op: 'address'; readonly field: Field; readonly kind: AddressKind }
  /** The text is an IP address within one of the networks (`10.0.0.0/8`); invalid networks contain nothing. */
  | { readonly op: 'network'; readonly field: Field; readonly networks: readonly string[] }
  /** The whole text matches one of the patterns, in which `*` stands for any text, including none. */
  | { readonly op: 'pattern'; readonly field: Field; readonly patterns: readonly string[] }
  /**
   * How many elements of a list satisfy `where`, in which paths begin at the element. `any`: at least one; `all`: every one, also
   * for an empty list; `onlyOne`: exactly one; `none`: no element, also if there is no list. The others do not hold without a
   * list. Values found by a path with a wildcard count as elements, and lists among them contribute their elements.
   */
  | { readonly op: 'elements'; readonly quantifier: Quantifier; readonly field: Field; readonly where: Condition }

/**
 * `equals` as Python's `==`: `1`, `1.0` and `true` are equal, `"1"` and `1` are not. `starts` and `ends`: texts. `contains` as Python's
 * `in`: a substring, an element of a list, a key of an object. The others compare numbers with numbers (`true` is 1) and texts
 * with texts (by code point).
 */
export type Comparison = 'equals' | 'starts' | 'ends' | 'contains' | 'greater' | 'greaterOrEqual' | 'less' | 'lessOrEqual'

export type AddressKind = 'any' | 'v4' | 'v6' | 'public' | 'private'

export type Quantifier = 'any' | 'all' | 'none' | 'onlyOne'

export type Scalar = string | number | bigint | boolean | null

/** A step of a path: a name in an object, an index in a list, or `null` for every element of a list. */
export type Segment = string | number | null

/** Where to find a value. */
export type Field =
  | {
      readonly kind: 'path'
      /** Empty: the event (or element) itself. */
      readonly segments: readonly Segment[]
      /**
       * Names must match exactly. Otherwise, at each level, the exact name is used, or else the first one that differs only in
       * case.
       */
      readonly exactCase?: boolean
      /** Names must match exactly, and lists along the path and at its end are traversed: no step is an index. */
      readonly walk?: boolean
    }
  /** In the rows that a table returned for a selector, always of the whole event, even inside `where`. */
  | { readonly kind: 'enrichment'; readonly table: string; readonly selector: string; readonly segments: readonly Segment[] }
