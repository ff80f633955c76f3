// Reads the test events of rules through the schemas of their log types, as if they had been received.

const META = {
  rowId: 'test',
  parseTime: '2026-01-01T00:00:00Z',
  receivedMs: Date.UTC(2100, 0, 1),
  sourceId: 'test',
  sourceLabel: 'Test',
}

/**
 * The rules with their test events as the schemas make them, and for each log type how many events it took and why it refused others:
 * `{rules, types: Map<logType, {taken, refused: [text]}>, without: Map<logType, ids of rules>}`. `readJson` and `writeJson` keep digits.
 */
export function readTestEvents(rules, schemas, { readJson, writeJson }) {
  const types = new Map()
  const without = new Map()
  const read = rules.map((rule) => {
    for (const logType of rule.logTypes)
      if (!schemas.has(logType)) without.set(logType, [...(without.get(logType) ?? []), rule.id])
    return { ...rule, tests: rule.tests.map((test) => readTest(rule, test)) }
  })
  return { rules: read, types, without }

  function readTest(rule, test) {
    const log = readJson(test.log)
    const named = log.p_log_type === undefined ? rule.logTypes : [log.p_log_type]
    // A test of a rule for several log types may not say which one its event has: one of them has to fit.
    const outcomes = named.flatMap((name) => (schemas.has(name) ? [[name, normalise(schemas.get(name), log)]] : []))
    if (outcomes.length === 0) return test
    const [name, outcome] = outcomes.find(([, one]) => one.kind === 'ok') ?? outcomes[0]
    const count = types.get(name) ?? { taken: 0, refused: [] }
    types.set(name, count)
    if (outcome.kind !== 'ok') {
      count.refused.push(`${rule.id} / ${test.name}: ${outcome.message}`)
      return test
    }
    count.taken++
    const own = Object.fromEntries(Object.entries(log).filter(([key]) => key.startsWith('p_')))
    // Without one in the test, the log type is not that of a schema which happened to fit.
    return { ...test, log: writeJson({ ...outcome.value, p_log_type: log.p_log_type, ...own }) }
  }
}

/** Standard fields are not part of a record, and what was copied out of a warehouse has its names in lower case. */
function normalise(schema, log) {
  const names = new Map(schema.columns.map(({ name }) => [name.toLowerCase(), name]))
  const entries = Object.entries(log).filter(([key]) => !key.startsWith('p_'))
  return schema.normalise(Object.fromEntries(entries.map(([key, value]) => [names.get(key) ?? key, value])), META)
}
