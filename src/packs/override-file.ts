import { basename, dirname } from 'node:path'
import { z } from 'zod'
import type { Rule } from '../model/rule.ts'
import { ConfigError } from '../util/errors.ts'
import { readSeverity } from './about.ts'
import type { Override, OverrideKey, Problem } from './content.ts'
import { problemOf, problemsOf } from './issues.ts'
import { name, ruleItem } from './item-schemas.ts'
import { dedupNotice, dedupPeriod, readFilter } from './rule-items.ts'
import type { YamlFile } from './yaml-file.ts'

/** The overrides of one content root. */
export interface OverrideFile {
  readonly overrides: readonly Override[]
  readonly notices: readonly string[]
  readonly problems: readonly Problem[]
}

const { Enabled, Severity, Threshold, DedupPeriodMinutes, OutputIds, InlineFilters } = ruleItem.shape
const overridable = {
  Enabled: Enabled.optional(),
  Severity: Severity.optional(),
  Threshold,
  DedupPeriodMinutes,
  OutputIds,
  InlineFilters,
} satisfies Record<OverrideKey, z.ZodType>
const KEYS = Object.keys(overridable) as OverrideKey[]

const ids = z.union([name, z.array(name).min(1)]).optional()
const entry = z
  .strictObject({ RuleID: ids, PolicyID: ids, ...overridable })
  .refine(({ RuleID, PolicyID }) => (RuleID === undefined) !== (PolicyID === undefined), 'needs either a RuleID or a PolicyID')
type Entry = z.output<typeof entry>

const document = z.strictObject({
  AnalysisType: z.literal('overrides').optional(),
  Overrides: z.array(z.unknown()).nullish(),
})

/** The whole file, for editors: its entries are read one by one, so that a mistake in one leaves the others in force. */
export const overridesFile = document.extend({ Overrides: z.array(entry).nullish() })

/** True for the file with a content root's overrides: `overrides.yml` at its top. */
export function isOverrideFile(file: string, root: string): boolean {
  return dirname(file) === root && hasItsName(file)
}

/** True for overrides in a place where they have no effect; another tool's YAML may have the same name. */
export function isStrayOverrideFile(file: string, text: string): boolean {
  return /^AnalysisType:\s*["']?overrides\b/m.test(text) || (hasItsName(file) && /^Overrides\s*:/m.test(text))
}

function hasItsName(file: string): boolean {
  return /^overrides\.ya?ml$/.test(basename(file))
}

/** Reads overrides. An entry that cannot be used is a problem, and the others count. Never throws. */
export function readOverrides(file: string, yaml: YamlFile): OverrideFile {
  // Everything may be commented out.
  if (yaml.value === null) return { overrides: [], notices: [], problems: [] }
  const whole = document.safeParse(yaml.value)
  if (!whole.success) return { overrides: [], notices: [], problems: problemsOf(file, yaml, document, whole.error.issues) }
  const overrides: Override[] = []
  const notices: string[] = []
  const problems: Problem[] = []
  const lines = new Map<string, number | undefined>()
  for (const [at, value] of (whole.data.Overrides ?? []).entries()) {
    // Mistakes are located by their place in the entry, and have the file's line.
    const place: Pick<YamlFile, 'value' | 'line'> = { value, line: (path, key) => yaml.line(['Overrides', at, ...path], key) }
    const parsed = entry.safeParse(value)
    if (!parsed.success) {
      problems.push(...problemsOf(file, place, entry, parsed.error.issues))
      continue
    }
    try {
      for (const override of overridesOf(file, place, parsed.data)) {
        const { id, key, line } = override
        const same = `${id}\0${key}`
        if (lines.has(same)) {
          problems.push({ file, line, message: `${key} of '${id}' is overridden in line ${lines.get(same)} too: remove one` })
        } else {
          lines.set(same, line)
          overrides.push(override)
        }
      }
      notices.push(...dedupNotice(parsed.data.DedupPeriodMinutes).map((notice) => `${file}: ${notice}`))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.push(problemOf(file, place, error))
    }
  }
  return { overrides, notices, problems }
}

/** One for each id and key. Throws `ConfigError`. */
function overridesOf(file: string, place: Pick<YamlFile, 'line'>, item: Entry): Override[] {
  const idKey = item.RuleID === undefined ? 'PolicyID' : 'RuleID'
  const keys = KEYS.filter((key) => item[key] !== undefined)
  if (keys.length === 0) throw new ConfigError(`overrides nothing: add one of ${KEYS.join(', ')}`)
  return [item[idKey]!].flat().flatMap((id, at) => {
    const idLine = place.line(Array.isArray(item[idKey]) ? [idKey, at] : [idKey])
    return keys.map((key) => ({ id, idKey, key, says: saysOf(file, key, item), file, line: place.line([key]), idLine }))
  })
}

function saysOf(file: string, key: OverrideKey, item: Entry): Override['says'] {
  switch (key) {
    case 'Enabled':
      return { enabled: item.Enabled! }
    case 'Severity':
      return { severity: readSeverity(item.Severity!) }
    case 'Threshold':
      return { threshold: item.Threshold! }
    case 'DedupPeriodMinutes':
      return { dedupPeriodMinutes: dedupPeriod(item.DedupPeriodMinutes!) }
    case 'OutputIds':
      return { outputIds: item.OutputIds! }
    case 'InlineFilters':
      return { inlineFilter: readFilter(file, item.InlineFilters) } satisfies Partial<Rule>
  }
}
