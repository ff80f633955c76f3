import type { JsonObject, JsonValue } from '../json.ts'
import { addressTest, networkTest } from './address.ts'
import type { Condition, Scalar } from './condition.ts'
import type { Reader, Visit } from './path.ts'
import { patternTest } from './pattern.ts'
import { type Readers, separateReaders } from './readers.ts'
import { comparison, containsFolded, fold, hashKey, isBeyondAscii, isNullOrEmpty, unknown } from './values.ts'

/** A compiled condition: `scope` is the event, or the element being tested. Never throws, changes nothing. */
type Predicate = (scope: JsonValue, event: JsonObject) => boolean

/**
 * Compiles a condition into a predicate on events. The predicate never throws; its cost is linear in the size of the event. The
 * owner of shared `readers` must announce each new event.
 */
export function compile(condition: Condition, readers: Readers = separateReaders): (event: JsonObject) => boolean {
  const predicate = compileNode(condition, readers)
  return (event) => predicate(event, event)
}

function compileNode(condition: Condition, readers: Readers): Predicate {
  const inner = (one: Condition) => compileNode(one, readers)
  switch (condition.op) {
    case 'always': {
      const { value } = condition
      return () => value
    }
    case 'and':
      return every(condition.of.map(inner))
    case 'or':
      return some(condition.of.map(inner))
    case 'none':
      return not(some(condition.of.map(inner)))
    case 'onlyOne':
      return onlyOne(condition.of.map(inner))
    case 'not':
      return not(inner(condition.of))
    case 'compare':
      return holds(readers.of(condition.field), compareWith(condition))
    case 'in':
      return holds(readers.of(condition.field), memberOf(condition.values, condition.ignoreCase === true))
    case 'compareFields':
      return compareFields(condition, readers)
    case 'exists':
      return holds(readers.of(condition.field), () => true)
    case 'null':
      return not(holds(readers.of(condition.field), (value) => value !== null))
    case 'nullOrEmpty':
      return not(holds(readers.of(condition.field), (value) => !isNullOrEmpty(value)))
    case 'beyondAscii':
      return holds(readers.of(condition.field), isBeyondAscii)
    case 'address':
      return holds(readers.of(condition.field), ofText(addressTest(condition.kind)))
    case 'network':
      return holds(readers.of(condition.field), ofText(networkTest(condition.networks)))
    case 'pattern':
      return holds(readers.of(condition.field), ofText(patternTest(condition.patterns)))
    case 'elements':
      return elements(condition, readers)
    default:
      return unknown(condition)
  }
}

function every(parts: readonly Predicate[]): Predicate {
  const [first, second] = parts
  if (first && parts.length === 1) return first
  if (first && second && parts.length === 2) return (scope, event) => first(scope, event) && second(scope, event)
  return (scope, event) => {
    for (const part of parts) if (!part(scope, event)) return false
    return true
  }
}

function some(parts: readonly Predicate[]): Predicate {
  return (scope, event) => {
    for (const part of parts) if (part(scope, event)) return true
    return false
  }
}

function onlyOne(parts: readonly Predicate[]): Predicate {
  return (scope, event) => {
    let found = false
    for (const part of parts) {
      if (!part(scope, event)) continue
      if (found) return false
      found = true
    }
    return found
  }
}

function not(predicate: Predicate): Predicate {
  return (scope, event) => !predicate(scope, event)
}

/** Whether one of the field's values passes. */
function holds({ one, visit }: Reader, test: Visit): Predicate {
  if (!one) return (scope, event) => visit(scope, event, test)
  return (scope, event) => {
    const value = one(scope, event)
    return value !== undefined && test(value)
  }
}

function ofText(test: (text: string) => boolean): Visit {
  return (value) => typeof value === 'string' && test(value)
}

function compareWith({ test, value: constant, ignoreCase = false }: Extract<Condition, { op: 'compare' }>): Visit {
  const other = ignoreCase ? fold(constant) : constant
  if (test === 'equals' && typeof other === 'string') {
    return ignoreCase ? (value) => typeof value === 'string' && value.toLowerCase() === other : (value) => value === other
  }
  if (test === 'contains' && ignoreCase) return (value) => containsFolded(value, other)
  const compare = comparison(test, false)
  return ignoreCase ? (value) => compare(fold(value), other) : (value) => compare(value, other)
}

function memberOf(values: readonly Scalar[], ignoreCase: boolean): Visit {
  const keys = new Set(values.map((value) => hashKey(ignoreCase ? fold(value) : value)))
  return (value) => {
    const key = hashKey(ignoreCase ? fold(value) : value)
    return key !== undefined && keys.has(key)
  }
}

function compareFields(
  { test, left, right, ignoreCase = false }: Extract<Condition, { op: 'compareFields' }>,
  readers: Readers,
): Predicate {
  const compare = comparison(test, ignoreCase)
  const [a, b] = [readers.of(left), readers.of(right)]
  return (scope, event) => a.visit(scope, event, (value) => b.visit(scope, event, (other) => compare(value, other)))
}

function elements({ quantifier, field, where }: Extract<Condition, { op: 'elements' }>, readers: Readers): Predicate {
  const lists = readers.of(field)
  const inner = compileNode(where, readers)
  switch (quantifier) {
    case 'any':
      return (scope, event) => anyElement(lists, scope, event, (element) => inner(element, event))
    case 'none':
      return (scope, event) => !anyElement(lists, scope, event, (element) => inner(element, event))
    case 'all':
      return (scope, event) =>
        hasList(lists, scope, event) && !anyElement(lists, scope, event, (element) => !inner(element, event))
    case 'onlyOne':
      return (scope, event) => {
        let found = 0
        anyElement(lists, scope, event, (element) => inner(element, event) && ++found > 1)
        return found === 1
      }
    default:
      return unknown(quantifier)
  }
}

function anyElement({ one, visit }: Reader, scope: JsonValue, event: JsonObject, test: Visit): boolean {
  if (one) {
    const list = one(scope, event)
    return Array.isArray(list) && list.some((element: JsonValue) => test(element))
  }
  return visit(scope, event, (value) => (Array.isArray(value) ? value.some((element: JsonValue) => test(element)) : test(value)))
}

function hasList({ one, visit }: Reader, scope: JsonValue, event: JsonObject): boolean {
  return one ? Array.isArray(one(scope, event)) : visit(scope, event, () => true)
}
