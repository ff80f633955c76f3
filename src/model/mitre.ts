import { TECHNIQUE_NAMES } from './mitre-techniques.ts'

/** The tactics of MITRE ATT&CK for enterprises, in the order of its matrix (https://attack.mitre.org/tactics/enterprise/). */
export const TACTICS: ReadonlyMap<string, string> = new Map([
  ['TA0043', 'Reconnaissance'],
  ['TA0042', 'Resource Development'],
  ['TA0001', 'Initial Access'],
  ['TA0002', 'Execution'],
  ['TA0003', 'Persistence'],
  ['TA0004', 'Privilege Escalation'],
  ['TA0005', 'Defense Evasion'],
  ['TA0006', 'Credential Access'],
  ['TA0007', 'Discovery'],
  ['TA0008', 'Lateral Movement'],
  ['TA0009', 'Collection'],
  ['TA0011', 'Command and Control'],
  ['TA0010', 'Exfiltration'],
  ['TA0040', 'Impact'],
])

/** A tactic with a technique, as rules name them under `Reports`: `TA0001:T1078.004`. */
export interface Coverage {
  readonly tactic: string
  readonly technique: string
}

/** Reads one entry; `undefined` if it is not of that form. */
export function coverageOf(entry: string): Coverage | undefined {
  const [, tactic, technique] = /^\s*(TA\d{4})\s*:\s*(T\d{4}(?:\.\d{3})?)\s*$/i.exec(entry) ?? []
  return tactic !== undefined && technique !== undefined
    ? { tactic: tactic.toUpperCase(), technique: technique.toUpperCase() }
    : undefined
}

/** Under which name rules list what they cover. */
const FRAMEWORK = /^mitre/i

/** What a rule says under `Reports` that it covers, each once. */
export function coverageIn(reports: Readonly<Record<string, readonly string[]>>): Coverage[] {
  const entries = Object.entries(reports).flatMap(([framework, list]) => (FRAMEWORK.test(framework) ? list : []))
  const covered = entries.flatMap((entry) => coverageOf(entry) ?? [])
  return [...new Map(covered.map((one) => [`${one.tactic}:${one.technique}`, one])).values()]
}

let names: ReadonlyMap<string, string> | undefined

/** `Valid Accounts` for `T1078`, `Valid Accounts: Cloud Accounts` for `T1078.004`; `undefined` if it is not a technique. */
export function techniqueName(technique: string): string | undefined {
  names ??= readNames(TECHNIQUE_NAMES)
  return names.get(technique)
}

function readNames(text: string): Map<string, string> {
  const found = new Map<string, string>()
  let parent = ''
  for (const [, id = '', name = ''] of text.matchAll(/(\.?\d{3,4}) ([^;\n]+)/g)) {
    if (!id.startsWith('.')) parent = `T${id}`
    found.set(id.startsWith('.') ? parent + id : parent, id.startsWith('.') ? `${found.get(parent)}: ${name}` : name)
  }
  return found
}
