/** Most other YAML files are not content; those that cannot be are not parsed at all. */
export function holdsContent(text: string): boolean {
  return text.includes('AnalysisType') || /(?:^|[\s{,"'])schema["']?\s*:/.test(text)
}

/** A text that is meant to be content, valid or not: the key is at the beginning of a line. */
export function isMarked(text: string): boolean {
  return /^\{?\s*["']?(?:AnalysisType|schema)["']?\s*:/m.test(text)
}

/** False for kinds that have no unit tests; true if in doubt. */
export function hasTests(text: string): boolean {
  return !/^AnalysisType:[ ]*["']?(?!(?:rule|scheduled_rule|policy|correlation_rule)\b)[a-z_]+["']?[ ]*$/m.test(text)
}

/**
 * The text with its top-level `Tests:` blanked out: test events are most of a rule file, and reading YAML is the slow part of loading
 * content. Line numbers do not change. A text whose top level is not plain block style is left unchanged, and so is one that uses an anchor
 * from its tests after them.
 */
export function withoutTests(text: string): string {
  const start = /^Tests:/m.exec(text)?.index
  if (start === undefined || /^(?:---|\.\.\.|%|\{)/m.test(text.slice(start))) return text
  // The section ends at the next top-level key; its list items may begin in the first column, comments anywhere.
  const rest = /^[^\s#\-}\]]/gm
  rest.lastIndex = start + 'Tests:'.length
  const end = rest.exec(text)?.index ?? text.length
  const section = text.slice(start, end)
  const after = text.slice(end)
  for (const [, name] of after.matchAll(/\*([^\s,[\]{}]+)/g)) if (section.includes(`&${name}`)) return text
  return text.slice(0, start) + section.replace(/[^\n]+/g, '') + after
}
