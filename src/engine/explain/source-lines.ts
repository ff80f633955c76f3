import { readFileSync } from 'node:fs'
import type { ExplainedStep, RuleTrace } from '../../model/explanation.ts'
import type { DetectionContent, Rule } from '../../model/rule.ts'
import { YamlFile } from '../../packs/yaml-file.ts'

const MAX_LINE = 200

/** The text of the files in which the steps of a rule are written: adds their source lines, and to steps of a YAML file their line. */
export class SourceLines {
  readonly #rule: Rule
  readonly #texts = new Map<string, string>()
  #yaml: YamlFile | undefined

  constructor(rule: Rule, { helpers, dataModels = [] }: Pick<DetectionContent, 'helpers' | 'dataModels'>) {
    this.#rule = rule
    const sources = [...helpers, ...dataModels.flatMap(({ source }) => (source ? [source] : []))]
    for (const { file, code } of sources) this.#texts.set(file, code)
    const definition = textOf(rule.file)
    this.#texts.set(rule.file, definition)
    if (rule.source.file !== rule.file) this.#texts.set(rule.source.file, rule.source.code)
  }

  placed({ steps, decided, reads }: RuleTrace): RuleTrace {
    return { steps: steps.map((step) => this.#place(step)), decided: decided.map((step) => this.#place(step)), reads }
  }

  #place(step: ExplainedStep): ExplainedStep {
    const line = step.line > 0 || step.file !== this.#rule.file ? step.line : this.#lineOf(step.function)
    const source = this.#texts.get(step.file)?.split('\n', line)[line - 1]?.trim()
    return { ...step, line, ...(source && { source: source.slice(0, MAX_LINE).toWellFormed() }) }
  }

  #lineOf(path: string): number {
    const text = this.#texts.get(this.#rule.file)
    if (!text) return 0
    this.#yaml ??= new YamlFile(text)
    return this.#yaml.line(path.split('.')) ?? 0
  }
}

/** Empty if the file has been removed since it was loaded. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
