import type { AddressKind, Comparison, Quantifier } from '../../../model/condition/condition.ts'

/** The meaning of a condition's name. */
export type Meaning = { readonly isNegated: boolean; readonly ignoreCase: boolean } & (
  | { readonly kind: 'compare'; readonly test: Comparison }
  | { readonly kind: 'in' }
  | { readonly kind: 'exists' | 'null' | 'nullOrEmpty' }
  | { readonly kind: 'address'; readonly address: AddressKind }
  /** `inList`: in a list of addresses, one match is enough. */
  | { readonly kind: 'network'; readonly inList: boolean }
  | { readonly kind: 'always' }
  | { readonly kind: 'elements'; readonly quantifier: Quantifier }
)

type Test = Meaning extends infer M ? (M extends Meaning ? Omit<M, 'isNegated' | 'ignoreCase'> : never) : never

/** Name, name of the negation, what it tests, and whether both have a variant with `I` that ignores case. */
type Row = readonly [name: string, negation: string | undefined, test: Test, hasFolded?: true]

/**
 * The conditions of Panther's match expressions, as spelled in its documentation, guide and schema fixtures. `Has` is an older
 * name for `Contains`. Where they use two spellings, both are accepted.
 */
const ROWS: readonly Row[] = [
  ['Equals', 'DoesNotEqual', { kind: 'compare', test: 'equals' }, true],
  ['StartsWith', 'DoesNotStartWith', { kind: 'compare', test: 'starts' }, true],
  ['EndsWith', 'DoesNotEndWith', { kind: 'compare', test: 'ends' }, true],
  ['Contains', 'DoesNotContain', { kind: 'compare', test: 'contains' }, true],
  ['Has', 'DoesNotHave', { kind: 'compare', test: 'contains' }, true],
  ['IsIn', 'IsNotIn', { kind: 'in' }, true],
  ['IsGreaterThan', undefined, { kind: 'compare', test: 'greater' }],
  ['IsGreaterThanOrEquals', undefined, { kind: 'compare', test: 'greaterOrEqual' }],
  ['IsGreaterThanOrEqual', undefined, { kind: 'compare', test: 'greaterOrEqual' }],
  ['IsLessThan', undefined, { kind: 'compare', test: 'less' }],
  ['IsLessThanOrEquals', undefined, { kind: 'compare', test: 'lessOrEqual' }],
  ['IsLessThanOrEqual', undefined, { kind: 'compare', test: 'lessOrEqual' }],
  ['Exists', 'DoesNotExist', { kind: 'exists' }],
  ['IsNull', 'IsNotNull', { kind: 'null' }],
  ['IsNullOrEmpty', 'IsNotNullOrEmpty', { kind: 'nullOrEmpty' }],
  ['IsIPAddress', 'IsNotIPAddress', { kind: 'address', address: 'any' }],
  ['IsIPv4Address', 'IsNotIPv4Address', { kind: 'address', address: 'v4' }],
  ['IsIPv6Address', 'IsNotIPv6Address', { kind: 'address', address: 'v6' }],
  ['IsIPAddressPublic', 'IsIPAddressNotPublic', { kind: 'address', address: 'public' }],
  ['IsIPAddressPrivate', 'IsIPAddressNotPrivate', { kind: 'address', address: 'private' }],
  ['IsIPAddressInCIDR', 'IsIPAddressNotInCIDR', { kind: 'network', inList: false }],
  ['CIDRContainsIPAddresses', 'CIDRDoesNotContainIPAddresses', { kind: 'network', inList: true }],
  ['AlwaysTrue', 'AlwaysFalse', { kind: 'always' }],
  ['AnyElement', undefined, { kind: 'elements', quantifier: 'any' }],
  ['AllElements', undefined, { kind: 'elements', quantifier: 'all' }],
  ['OnlyOneElement', undefined, { kind: 'elements', quantifier: 'onlyOne' }],
  ['NoElement', undefined, { kind: 'elements', quantifier: 'none' }],
]

/** Condition name → meaning. */
export const CONDITIONS: ReadonlyMap<string, Meaning> = new Map(
  ROWS.flatMap(([name, negation, test, hasFolded]) =>
    [false, ...(hasFolded ? [true] : [])].flatMap((ignoreCase) => {
      const prefix = ignoreCase ? 'I' : ''
      const positive = [`${prefix}${name}`, { ...test, isNegated: false, ignoreCase } as Meaning] as const
      if (negation === undefined) return [positive]
      return [positive, [`${prefix}${negation}`, { ...test, isNegated: true, ignoreCase } as Meaning] as const]
    }),
  ),
)
