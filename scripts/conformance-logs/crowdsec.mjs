/** What CrowdSec's `parser.assert` says that its parser found in each line: a list of `{field: value}`. */
export function assertions(text, parser) {
  const lines = []
  const pattern =
    /^results\["s01-parse"\]\["crowdsecurity\/([^"]+)"\]\[(\d+)\]\.Evt\.Parsed\["([^"]+)"\] == ("(?:[^"\\]|\\.)*")$/gm
  for (const [, name, index, field, value] of text.matchAll(pattern)) {
    if (name !== parser) continue
    lines[Number(index)] ??= {}
    lines[Number(index)][field] = JSON.parse(value)
  }
  return lines
}

/**
 * Compares events with assertions, one after the other: `fields` maps CrowdSec's names to the event's value as text. Returns the
 * differences, and how many values were compared.
 */
export function compare(events, asserted, fields) {
  const differences = []
  let compared = 0
  for (const [i, expected] of asserted.entries()) {
    for (const [name, textOf] of Object.entries(fields)) {
      if (expected[name] === undefined) continue
      compared++
      const found = String(textOf(events[i] ?? {}) ?? '-')
      if (found !== expected[name]) differences.push(`line ${i} ${name}: ${found}, CrowdSec has ${expected[name]}`)
    }
  }
  return { differences, compared }
}
