import { aggregate, type Call, type FunctionTable, fn, type Translation, windowed } from '../call.ts'
import { asBoolean, asJson, asNumber, asText, memberOf, orderKeys, type Scalar, type Value } from '../value.ts'

const number = (sql: string): Value => ({ sql, shape: 'number' })

/** These return NULL if there are no rows, as in Snowflake; the engine itself would return 0. */
function numeric(name: string): Translation {
  return aggregate(1, 1, (call) => number(`${name}OrNull(${call.distinct ? 'DISTINCT ' : ''}${asNumber(call.value(0))})`))
}

function same(name: string): Translation {
  return aggregate(1, 1, (call) => ({ sql: `${name}(${call.value(0).sql})`, shape: call.value(0).shape }))
}

/** The least or greatest value; JSON values are compared as in ORDER BY. */
function end(name: 'min' | 'max'): Translation {
  return aggregate(1, 1, (call) => {
    const value = call.value(0)
    if (value.shape !== 'json') return { ...value, sql: `${name}OrNull(${value.sql})` }
    const { number, text } = orderKeys(value)
    const key = `(isNull(${number}), ifNull(${number}, 0), ifNull(${text}, ''))`
    return { ...value, sql: `arg${name === 'min' ? 'Min' : 'Max'}OrNull(${value.sql}, ${key})` }
  })
}

function gather(call: Call, distinct: boolean): Value {
  const value = call.value(0)
  if (memberOf(value.shape)) return call.context.unsupported(`${call.name.toUpperCase()} of lists`)
  const shape: Scalar = value.shape === 'null' ? 'text' : (value.shape as Scalar)
  const list = `${distinct ? 'groupUniqArray' : 'groupArray'}(${value.sql})`
  if (!call.ordered) return { sql: list, shape: `list of ${shape}` }
  if (distinct && call.ordered.value.sql !== value.sql) {
    return call.context.unsupported(`${call.name.toUpperCase()}(DISTINCT …) ordered by something else`)
  }
  const sort = call.ordered.descending ? 'arrayReverseSort' : 'arraySort'
  if (distinct) return { sql: `${sort}(${list})`, shape: `list of ${shape}` }
  const pairs = `${sort}(p -> p.2, groupArray((${value.sql}, ${call.ordered.value.sql})))`
  return { sql: `arrayMap(p -> p.1, arrayFilter(p -> isNotNull(p.1), ${pairs}))`, shape: `list of ${shape}` }
}

function byExtreme(name: 'argMin' | 'argMax'): Translation {
  return aggregate(2, 2, (call) => ({
    sql: `${name}OrNull(${call.value(0).sql}, ${call.value(1).sql})`,
    shape: call.value(0).shape,
  }))
}

function ranking(name: string): Translation {
  return windowed(0, 0, () => number(`${name}()`))
}

function neighbour(name: 'lag' | 'lead'): Translation {
  const run = (call: Call): Value => {
    const [value, offset, otherwise] = call.values()
    const rest = [offset?.sql ?? '1', ...(otherwise ? [otherwise.sql] : [])]
    return { sql: `${name}(toNullable(${value!.sql}), ${rest.join(', ')})`, shape: value!.shape }
  }
  return windowed(1, 3, run)
}

function edge(name: string): Translation {
  return windowed(1, 1, (call) => ({ ...call.value(0), sql: `${name}(${call.value(0).sql})` }))
}

const approximate = aggregate(1, 1, (call) => number(`uniq(${call.value(0).sql})`))

/** Aggregates and windows. https://docs.snowflake.com/en/sql-reference/functions-aggregation */
export const AGGREGATE_FUNCTIONS: FunctionTable = {
  count: aggregate(0, 20, (call) => {
    if (call.star || call.count === 0) return number('count()')
    const values = call.values().map((value) => value.sql)
    if (call.distinct) return number(`uniqExact(${values.join(', ')})`)
    const absent = values.map((sql) => `isNotNull(${sql})`)
    return number(
      values.length === 1 && !memberOf(call.value(0).shape) ? `count(${values[0]})` : `countIf(${absent.join(' AND ')})`,
    )
  }),
  count_if: aggregate(1, 1, (call) => number(`countIf(${asBoolean(call.value(0))})`)),
  approx_count_distinct: approximate,
  hll: approximate,
  sum: numeric('sum'),
  avg: numeric('avg'),
  median: numeric('median'),
  stddev: numeric('stddevSamp'),
  stddev_samp: numeric('stddevSamp'),
  stddev_pop: numeric('stddevPop'),
  variance: numeric('varSamp'),
  var_samp: numeric('varSamp'),
  var_pop: numeric('varPop'),
  min: end('min'),
  max: end('max'),
  any_value: same('any'),
  mode: fn(1, 1, (call) => ({ sql: `arrayElementOrNull(topK(1)(${call.value(0).sql}), 1)`, shape: call.value(0).shape })),
  min_by: byExtreme('argMin'),
  max_by: byExtreme('argMax'),
  array_agg: aggregate(1, 1, (call) => gather(call, call.distinct)),
  array_unique_agg: aggregate(1, 1, (call) => gather(call, true)),
  // Sorted, as Snowflake sorts the keys of objects. Pairs without a key or a value are left out.
  object_agg: aggregate(2, 2, (call) => {
    const [key, value] = [call.value(0), call.value(1)]
    const pair = `concat(toJSONString(assumeNotNull(${asText(key)})), ':', assumeNotNull(${asJson(value)}))`
    const pairs = `groupUniqArray(if(isNull(${key.sql}) OR isNull(${value.sql}), NULL, ${pair}))`
    return { sql: `concat('{', arrayStringConcat(arraySort(${pairs}), ','), '}')`, shape: 'json' }
  }),
  listagg: fn(1, 2, (call) => {
    const members = gather({ ...call, value: () => ({ sql: asText(call.value(0)), shape: 'text' }) }, call.distinct)
    const separator = call.count > 1 ? asText(call.value(1)) : "''"
    return { sql: `arrayStringConcat(${members.sql}, ${separator})`, shape: 'text' }
  }),
  boolor_agg: fn(1, 1, (call) => ({ sql: `(maxOrNull(${asBoolean(call.value(0))}) = 1)`, shape: 'boolean' })),
  booland_agg: fn(1, 1, (call) => ({ sql: `(minOrNull(${asBoolean(call.value(0))}) = 1)`, shape: 'boolean' })),
  row_number: ranking('row_number'),
  rank: ranking('rank'),
  dense_rank: ranking('dense_rank'),
  percent_rank: ranking('percent_rank'),
  ntile: windowed(1, 1, (call) => number(`ntile(${asNumber(call.value(0))})`)),
  lag: neighbour('lag'),
  lead: neighbour('lead'),
  first_value: edge('first_value'),
  last_value: edge('last_value'),
}
