/** True if a text seems to define a detection with this id; the text may not be valid YAML. */
export function namesId(text: string, id: string): boolean {
  return text.split(/\r?\n/).some((line) => {
    const [, value] = /^\{?\s*["']?(?:RuleID|PolicyID)["']?\s*:\s*(.+)$/.exec(line) ?? []
    return value !== undefined && value.replace(/\s+#.*$|[,}\s]+$/g, '').replace(/^(["'])(.*)\1$/, '$2') === id
  })
}
