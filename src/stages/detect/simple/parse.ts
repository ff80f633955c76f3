import type { z } from 'zod'
import type { Condition, Field } from '../../../model/condition/condition.ts'
import type { Severity } from '../../../model/rule.ts'
import { ConfigError } from '../../../util/errors.ts'
import { parseJson } from '../../../util/json.ts'
import { simpleDocument } from './document.ts'
import { readExpressions, readKey } from './expression.ts'
import { parseTitle, type TitlePart } from './title.ts'

/** A parsed YAML detection. */
export interface SimpleDetection {
  readonly condition: Condition
  readonly title: readonly TitlePart[] | undefined
  readonly context: readonly { readonly name: string; readonly field: Field }[] | undefined
  /** If empty, matches are grouped by title. */
  readonly groupBy: readonly Field[]
  /** The first one whose condition holds decides; `undefined` if there are none. */
  readonly severities: readonly { readonly severity: Severity; readonly condition: Condition }[] | undefined
}

const MAX_CODE_CHARS = 1024 * 1024
export const MAX_DEPTH = 64

/**
 * Parses a rule's code in this language: the exact JSON text of an object with the keys `Detection`, `AlertTitle`,
 * `AlertContext`, `GroupBy` and `DynamicSeverities`, as far as they are in the rule's YAML. Throws `ConfigError` with file and
 * path.
 */
export function parseSimpleDetection(code: string, { file }: { readonly file: string }): SimpleDetection {
  if (code.length > MAX_CODE_CHARS) {
    throw new ConfigError(`the detection is longer than ${MAX_CODE_CHARS} characters: move its values into a lookup table`, {
      file,
    })
  }
  const json = parseJson(code, { maxDepth: MAX_DEPTH })
  if (json.kind === 'failure') throw new ConfigError(`the detection cannot be read: ${json.message}`, { file })
  return readSimpleDetection(json.value, { file })
}

/** Like `parseSimpleDetection`, for a document that is already parsed. */
export function readSimpleDetection(value: unknown, { file }: { readonly file: string }): SimpleDetection {
  const document = checkDocument(simpleDocument, value, file)
  const at = (path: string) => ({ file, path })
  return {
    condition: readExpressions(document.Detection, at('Detection')),
    title: document.AlertTitle === undefined ? undefined : parseTitle(document.AlertTitle),
    context: document.AlertContext?.map(({ KeyName: name, KeyValue: key }, i) => ({
      name,
      field: readKey(key, at(`AlertContext.${i}.KeyValue`)),
    })),
    groupBy: (document.GroupBy ?? []).map((key, i) => readKey(key, at(`GroupBy.${i}`))),
    severities: document.DynamicSeverities?.map(({ ChangeTo: severity, Conditions: list }, i) => ({
      severity,
      condition: readExpressions(list, at(`DynamicSeverities.${i}.Conditions`)),
    })),
  }
}

/** The validated document, or a `ConfigError` about the first mistake in it. */
export function checkDocument<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue, ...others] = result.error.issues.map(innermost)
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  const path = issue!.path.join('.')
  if (issue!.code === 'unrecognized_keys') {
    throw new ConfigError(`the key ${issue!.keys.map((key) => JSON.stringify(key)).join(', ')} is unknown: remove it${more}`, {
      file,
      path,
    })
  }
  throw new ConfigError(`${issue!.message}${more}`, { file, path })
}

/** For a choice between several forms, what is wrong with the closest one. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue
  const deepest = issue.errors.flat().find((inner) => inner.code === 'unrecognized_keys' || inner.path.length > 0)
  return deepest ? innermost({ ...deepest, path: [...issue.path, ...deepest.path] }) : issue
}
