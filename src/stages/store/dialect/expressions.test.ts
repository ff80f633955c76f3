import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { openTestLake } from './lake.fixture.ts'

const lake = await openTestLake([
  {
    name: 'one',
    columns: [
      { name: 'doc', kind: 'json' },
      { name: 'tags', kind: 'strings' },
      { name: 'word', kind: 'string' },
      { name: 'nothing', kind: 'string' },
      { name: 'amount', kind: 'bigint' },
      { name: 'ok', kind: 'boolean' },
    ],
    rows: [
      [
        '2024-04-19T11:30:15.5Z',
        '{"a":{"b":"x/y","n":5,"half":2.5,"t":true,"z":null,"text":"17"},"list":[{"id":"m"},{"id":"n"}],"words":["p","q"],"weird key":"w"}',
        ['p', 'r'],
        'Grün',
        null,
        7,
        true,
      ],
    ],
  },
])
afterAll(() => lake.close())

/** Results derived by hand from https://docs.snowflake.com/en/sql-reference/functions-all. */
const cases: readonly (readonly [expression: string, gives: unknown])[] = [
  // Paths: columns are case-insensitive, keys are not.
  ['DOC:a.b::string', 'x/y'],
  ['doc:a:b', '"x/y"'],
  ["doc:a['b']::varchar", 'x/y'],
  ['doc:"weird key"::string', 'w'],
  ['doc:A.b::string', null],
  ['doc:list[1]:id::string', 'n'],
  ['doc:list[2]:id::string', null],
  ['doc:a[0]::string', null],
  ['tags[1]', 'r'],
  ['tags[2]', null],
  ['doc:a:z IS NULL', false],
  ['doc:a:z::string IS NULL', true],
  ['doc:a:nope IS NULL', true],
  ['doc:a::string', '{"b":"x/y","n":5,"half":2.5,"t":true,"z":null,"text":"17"}'],
  ['parse_json(\'{"k":[1,2]}\'):k[1]::int', 2],
  ["parse_json('no json'):k IS NULL", true],
  ["get_path(doc, 'a.b')::string", 'x/y'],
  ["get(doc, 'words')::string", '["p","q"]'],
  // Comparisons depend on the shapes of both sides.
  ["doc:a:b = 'x/y'", true],
  ['doc:a:n = 5', true],
  ['doc:a:text > 5', true],
  ['doc:a:t = true', true],
  ["doc:a:t = 'true'", true],
  ["doc:a:b IN ('q', 'x/y')", true],
  ['doc:a:n BETWEEN 4 AND 6', true],
  ["p_event_time > '2024-04-19 11:30:15'", true],
  ["p_event_time < '2024-04-19T11:30:15Z'", false],
  ["doc:words = array_construct('p', 'q')", true],
  ['tags != []', true],
  // Casts.
  ['doc:a:half::int', 3],
  ["'-2.5'::int", -3],
  ["'x'::int", null],
  ['doc:a:text::float', 17],
  ["'yes'::boolean", true],
  ["'2024-02-03'::date", '2024-02-03'],
  ["'2024-02-03 04:05:06'::timestamp_ntz", '2024-02-03T04:05:06Z'],
  ['try_cast(word AS int)', null],
  ["'1.255'::number(10,2)", 1.25],
  // Conditions.
  ["iff(ok, 'y', 'n')", 'y'],
  ["nvl(nothing, 'd')", 'd'],
  ["coalesce(doc:a:nope, doc:a:b, 'd')", 'x/y'],
  ["nvl2(nothing, 'a', 'b')", 'b'],
  ["decode(amount, 6, 'six', 7, 'seven', 'many')", 'seven'],
  ["case word when 'x' then 1 else 2 end", 2],
  ['zeroifnull(nullif(amount, 7))', 0],
  ['greatest(1, amount)', 7],
  ['greatest(1, nullif(amount, 7))', null],
  ['equal_null(nothing, NULL)', true],
  ['nothing IS NOT DISTINCT FROM NULL', true],
  ['amount + 1 = 8 AND NOT (amount % 2 = 0)', true],
  ['round(2.5)', 3],
  ['round(-2.5)', -3],
  ['round(2.345, 1)', 2.3],
  ['div0(1, 0)', 0],
  // Texts.
  ['upper(word)', 'GRÜN'],
  ['len(word)', 4],
  ['substr(word, 2, 2)', 'rü'],
  ["split_part('a/b/c', '/', -1)", 'c'],
  ["split_part('a/b/c', '/', 9)", ''],
  ["split('a-b', '-')[1]", 'b'],
  ["word || '-' || amount", 'Grün-7'],
  ["contains(word, 'rü') AND startswith(word, 'G') AND endswith(word, 'n')", true],
  ["trim('  x ')", 'x'],
  ["ltrim('xxa', 'x')", 'a'],
  ["replace('a.b.c', '.')", 'abc'],
  ["array_to_string(doc:words, '+')", 'p+q'],
  ["charindex('b', 'abc')", 2],
  // LIKE: the backslash is an ordinary character unless it is declared as the escape.
  ["'100%' LIKE '100!%' ESCAPE '!'", true],
  ["'100x' LIKE '100!%' ESCAPE '!'", false],
  ["'a\\\\b' LIKE 'a\\\\b'", true],
  ["word ILIKE 'grü_'", true],
  ["word LIKE 'grü_'", false],
  ["word LIKE ANY ('x%', 'G%')", true],
  ["word NOT ILIKE ANY ('x%', 'g%')", false],
  ["nothing LIKE '%'", null],
  // Regular expressions: RLIKE must match the whole text.
  ["'abc' RLIKE 'b'", false],
  ["'abc' RLIKE '.b.'", true],
  ["'a\\nc' RLIKE 'a.c'", false],
  ["regexp_like('ABC', 'a.c', 'i')", true],
  ["regexp_substr('GET @stage.a now', 'get\\\\s+@([a-z.]+)', 1, 1, 'ie', 1)", 'stage.a'],
  ["regexp_substr('abc', 'x+')", null],
  ["regexp_replace('a1b22', '[0-9]+', '#')", 'a#b#'],
  // Lists.
  ['array_size(doc:words)', 2],
  ['array_size(tags)', 2],
  ["array_contains('q'::variant, doc:words)", true],
  ["array_contains('q'::variant, tags)", false],
  ["arrays_overlap(tags, array_construct('x', 'r'))", true],
  ["array_intersection(doc:words, array_construct('q', 'z'))", ['q']],
  ["array_except(tags, array_construct('r'))", ['p']],
  ['array_slice(doc:words, 0, 1)', ['"p"']],
  ['typeof(doc:words)', 'ARRAY'],
  // Times. Monday the 15th; Sunday is day 0.
  ['current_timestamp()', '2024-04-19T12:00:00Z'],
  ['current_timestamp', '2024-04-19T12:00:00Z'],
  ['dateadd(minute, -10, current_timestamp())', '2024-04-19T11:50:00Z'],
  ["timeadd('day', 1, '2024-02-28'::date)", '2024-02-29T00:00:00Z'],
  ["current_timestamp - interval '1 day, 2 hours'", '2024-04-18T10:00:00Z'],
  ["datediff('hour', p_event_time, current_timestamp)", 1],
  ["date_trunc('hour', p_event_time)", '2024-04-19T11:00:00Z'],
  ["time_slice(p_event_time, 15, 'minute')", '2024-04-19T11:30:00Z'],
  ["dayofweek('2024-04-14'::date)", 0],
  ['extract(hour from p_event_time)', 11],
  ['date_part(minute, p_event_time)', 30],
  ['hour(p_event_time) * 2', 22],
  // Panther's macros.
  ["p_occurs_since('1 hour')", true],
  ['p_occurs_since(30m)', true],
  ['p_occurs_since(29m)', false],
  ['p_occurs_since(3600, one)', true],
  ['p_occurs_since(1h, , p_parse_time)', false],
  ["p_occurs_between('2024-04-19', current_timestamp)", true],
  ["p_occurs_after('2024-04-19 11:30:15')", true],
  ["p_occurs_before('2024-04-19 11:30:15')", false],
  ["p_occurs_around('2024-04-19 11:00:00', '31 minutes')", true],
]

test.each(cases)('%s', async (expression, gives) => {
  expect(await lake.ask(`SELECT ${expression} AS x FROM panther_logs.public.one`)).toEqual([[gives]])
})

test('a text or a name in a query remains one in the lake', async () => {
  const text = fc.string({ unit: fc.constantFrom("'", '"', '`', '\\', '%', ';', '-', '{', '}', 'a', ' ', '\n', 'é', '0') })
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      const literal = `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
      expect(
        await lake.ask(`SELECT ${literal} AS x, word LIKE ${literal} AS y, doc:a[${literal}] IS NULL AS z FROM one`),
      ).toMatchObject([[value, expect.any(Boolean), true]])
    }),
    { seed: 7, numRuns: 60 },
  )
})
