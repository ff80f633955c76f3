/** True if a text gives a detection this id, as far as we can tell from a text that may not be YAML. */
export function namesId(text: string, id: string): boolean {
  return text.split(/\r?\n/).some((line) => {
    const [, value] = /^\{?\s*["']?(?:RuleID|PolicyID)["']?\s*:\s*(.+)$/.exec(line) ?? []
    return value !== undefined && value.replace(/\s+#.*$|[,}\s]+$/g, '').replace(/^(["'])(.*)\1$/, '$2') === id
  })
}
