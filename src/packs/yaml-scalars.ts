import type { ScalarTag, Tags } from 'yaml'

/** Only octal digits after a 0: `08` is a string; `017` is still decimal. */
const INTEGER = /^[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$/

/** Requires a point, and a sign in the exponent; only a digit may be between a sign and the point. */
const FLOAT = /^(?:[-+]?[0-9][0-9_]*|(?=\.[0-9]))\.[0-9_]*(?:[eE][-+][0-9]+)?$/

/** Base 60 with a point; without one (`1:30`) it is a string. */
const SEXAGESIMAL = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*$/

const NO_NUMBER = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/

type OnError = (message: string) => void

function readInteger(text: string, onError: OnError): bigint | string {
  const [, sign, digits] = /^([-+]?)(0b[01]+|0x[0-9a-f]+|[0-9]+)$/i.exec(text.replaceAll('_', '')) ?? []
  if (digits !== undefined) return sign === '-' ? -BigInt(digits) : BigInt(digits)
  onError(`'${text}' is not an integer: write it as a quoted string, or correct it`)
  return text
}

function readFloat(text: string, onError: OnError): number | string {
  const [, sign, digits = ''] = /^([-+]?)(.*)$/s.exec(text.replaceAll('_', '').toLowerCase()) ?? []
  const value = magnitude(digits)
  if (value !== undefined) return sign === '-' ? -value : value
  onError(`'${text}' is not a number: write it as a quoted string, or correct it`)
  return text
}

function magnitude(digits: string): number | undefined {
  if (/^\.?inf$/.test(digits)) return Number.POSITIVE_INFINITY
  if (/^\.?nan$/.test(digits)) return Number.NaN
  const parts = digits.split(':')
  if (!parts.every((part) => /^(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/.test(part))) return undefined
  // From the last part up: the order determines rounding.
  return parts.reduceRight((sum, part, at) => sum + Number(part) * 60 ** (parts.length - 1 - at), 0)
}

const int = { tag: 'tag:yaml.org,2002:int', resolve: readInteger }
const float = { tag: 'tag:yaml.org,2002:float', resolve: readFloat }

const NUMBERS: readonly ScalarTag[] = [
  { ...int, default: true, test: INTEGER },
  { ...float, default: true, test: FLOAT },
  { ...float, default: true, test: SEXAGESIMAL },
  { ...float, default: true, test: NO_NUMBER },
  // A value tagged as a number (`!!float 1`) need not look like one.
  int,
  float,
  { tag: 'tag:yaml.org,2002:timestamp', resolve: (text) => text },
]

/**
 * The scalars of Panther's content format instead of a schema's own: booleans and null as in YAML 1.2, numbers as in YAML 1.1 (`1_000` and
 * `0b101` are integers, `1e3` and `0o17` strings) except that `0644` is decimal and dates stay strings. Integers are BigInt, floats
 * numbers.
 */
export function contentTags(tags: Tags): Tags {
  const isNumber = (tag: Tags[number]) => typeof tag === 'object' && (tag.tag === int.tag || tag.tag === float.tag)
  return [...tags.filter((tag) => !isNumber(tag)), ...NUMBERS]
}
