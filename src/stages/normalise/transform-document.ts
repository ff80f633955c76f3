import { z } from 'zod'
import { ConfigError } from '../../util/errors.ts'
import { secretReference } from '../../util/secret.ts'
import type { ValueType } from './document.ts'
import { REDACTED, type TransformSpec } from './transformations.ts'

const path = z.string().min(1)

/** Keys of a field that change its value before it is read. */
export const transformShape = {
  copy: z.strictObject({ from: path }).optional().describe('A copy of another value of the record.'),
  concat: z
    .strictObject({ paths: z.array(path).min(1), separator: z.string().default('') })
    .optional()
    .describe('Other values joined to a text; absent ones are left out.'),
  split: z
    .strictObject({ from: path, separator: z.string().min(1), index: z.int().min(0) })
    .optional()
    .describe('One part of a text, counted from 0.'),
  mask: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('redact'), to: z.string().default(REDACTED) }),
      z.strictObject({
        type: z.literal('obfuscate'),
        salt: z.union([z.string().min(1), secretReference], { error: 'a text, `{env: NAME}` or `{file: PATH}`' }),
      }),
    ])
    .optional()
    .describe('Hides the value: `redact` replaces it, `obfuscate` by a hash, so that equal values stay equal.'),
}

interface Keys extends TransformSpec {
  readonly rename?: { readonly from: string } | undefined
  readonly validate?: object | undefined
}

/** Throws `ConfigError` for combinations that have no meaning. */
export function checkTransforms(field: Keys, type: ValueType, at: { readonly file: string; readonly path: string }): void {
  const { rename, copy, concat, split, mask, validate } = field
  const sources = Object.entries({ rename, copy, concat, split }).flatMap(([name, value]) => (value ? [`\`${name}\``] : []))
  if (sources.length > 1) throw new ConfigError(`${sources.join(' and ')} exclude each other: a value comes from one place`, at)
  if (mask && type !== 'string') throw new ConfigError('`mask` belongs to type string', at)
  if (mask && validate) throw new ConfigError('`mask` and `validate` exclude each other: the masked value would be checked', at)
}
