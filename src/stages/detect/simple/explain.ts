import type { RuleTrace } from '../../../model/explanation.ts'
import type { JsonObject } from '../../../model/json.ts'
import type { Rule } from '../../../model/rule.ts'
import { parseJson } from '../../../util/json.ts'
import { type Explained, traceCondition } from '../explain/condition.ts'
import { type ExpressionDocument, simpleDocument } from './document.ts'
import { COMBINATORS, readExpression } from './expression.ts'
import { MAX_DEPTH } from './parse.ts'

/** Why a detection that has been loaded holds for an event, or why not. Steps name their expression by its path in the YAML. */
export function explainSimple({ source: { code, file } }: Rule, event: JsonObject): RuleTrace {
  const json = parseJson(code, { maxDepth: MAX_DEPTH })
  const { Detection: list } = simpleDocument.parse(json.kind === 'ok' ? json.value : undefined)
  return traceCondition({ path: 'Detection', op: 'and', of: toParts(list, 'Detection', file) }, event, file)
}

function toParts(list: readonly ExpressionDocument[], path: string, file: string): Explained[] {
  return list.map((document, at) => toPart(document, `${path}.${at}`, file))
}

function toPart(document: ExpressionDocument, path: string, file: string): Explained {
  for (const [key, op] of COMBINATORS) {
    const list = document[key]
    if (list) return { path, op, of: toParts(list, `${path}.${key}`, file) }
  }
  return { path, leaf: readExpression(document, { file, path }) }
}
