import { correlationRuleDocument } from '../stages/detect/correlation/document.ts'
import { parseCorrelationRule } from '../stages/detect/correlation/parse.ts'
import { readReports } from './about.ts'
import { checked, type Item } from './item.ts'
import type { YamlFile } from './yaml-file.ts'

export function readCorrelationRule(file: string, yaml: YamlFile): Item {
  return checked(file, yaml, correlationRuleDocument, (item) => {
    const rule = { ...parseCorrelationRule(yaml.value, { file }), reports: readReports(yaml, item.Reports) }
    return { kind: 'correlation', id: rule.id, rule: { id: rule.id, file, rule, status: item.Status, createdBy: item.CreatedBy } }
  })
}
