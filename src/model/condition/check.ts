import type { Condition } from './condition.ts'

/** Nobody writes deeper ones, and walking them would overflow the stack. */
const MAX_DEPTH = 200

const COMPARISONS = new Set<unknown>(['equals', 'starts', 'ends', 'contains', 'greater', 'greaterOrEqual', 'less', 'lessOrEqual'])
const ADDRESS_KINDS = new Set<unknown>(['any', 'v4', 'v6', 'public', 'private'])
const QUANTIFIERS = new Set<unknown>(['any', 'all', 'none', 'onlyOne'])

/** Whether a value read from JSON is a valid condition (see `condition.ts`). Never throws. */
export function isCondition(value: unknown, depth = 0): value is Condition {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return false
  const one = value as Record<string, unknown>
  switch (one['op']) {
    case 'always':
      return typeof one['value'] === 'boolean'
    case 'and':
    case 'or':
    case 'onlyOne':
    case 'none':
      return Array.isArray(one['of']) && one['of'].every((part) => isCondition(part, depth + 1))
    case 'not':
      return isCondition(one['of'], depth + 1)
    case 'compare':
      return COMPARISONS.has(one['test']) && isField(one['field']) && isScalar(one['value']) && isFlag(one['ignoreCase'])
    case 'in':
      return isField(one['field']) && Array.isArray(one['values']) && one['values'].every(isScalar) && isFlag(one['ignoreCase'])
    case 'compareFields':
      return COMPARISONS.has(one['test']) && isField(one['left']) && isField(one['right']) && isFlag(one['ignoreCase'])
    case 'exists':
    case 'null':
    case 'nullOrEmpty':
    case 'beyondAscii':
      return isField(one['field'])
    case 'address':
      return isField(one['field']) && ADDRESS_KINDS.has(one['kind'])
    case 'network':
      return isField(one['field']) && isTexts(one['networks'])
    case 'pattern':
      return isField(one['field']) && isTexts(one['patterns'])
    case 'elements':
      return QUANTIFIERS.has(one['quantifier']) && isField(one['field']) && isCondition(one['where'], depth + 1)
    default:
      return false
  }
}

function isField(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { kind, segments, exactCase, walk, table, selector } = value as Record<string, unknown>
  if (!Array.isArray(segments) || !segments.every(isSegment)) return false
  if (kind === 'enrichment') return typeof table === 'string' && typeof selector === 'string'
  return kind === 'path' && isFlag(exactCase) && isFlag(walk)
}

function isSegment(value: unknown): boolean {
  return value === null || typeof value === 'string' || Number.isInteger(value)
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function isFlag(value: unknown): boolean {
  return value === undefined || typeof value === 'boolean'
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
