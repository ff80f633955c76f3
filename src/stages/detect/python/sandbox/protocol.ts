/**
 * What travels between the engine and the Python child: frames (`util/frames.ts`) on the child's stdin and stdout, one
 * request at a time, each answered by exactly one `answer` or `died`, with `beat`s while it works.
 */
import type { RuleKind, RuleTest } from '../../../../model/rule.ts'
import type { TestRun } from '../../language.ts'
import type { Beat } from '../interpreter/watch.ts'

/** Engine → child. */
export type Request =
  /** The child's first frame. The snapshot is file descriptor 3; to make one, `sources` follow. */
  | { readonly kind: 'start'; readonly makeSnapshot: boolean; readonly memoryBytes: number }
  /** Payload: `{path: source}` as JSON. Only after a start that makes a snapshot. */
  | { readonly kind: 'sources' }
  /** Payload: `[file, source][]` as JSON; answer: for each its compiled code as text, or null. No rule has run by then. */
  | { readonly kind: 'compile'; readonly timeoutMs: number; readonly careful: boolean }
  /** Payload: `LoadContent` as JSON; answer: `LoadAnswer`. */
  | { readonly kind: 'load'; readonly timeoutMs: number; readonly careful: boolean }
  /** Payload: `[key, entry or null][]` as JSON: the cache of rules, in several requests when it is large, or what has changed in it. */
  | { readonly kind: 'fill'; readonly timeoutMs: number; readonly careful: boolean }
  /** Payload: `NecessaryContent` as JSON; answer: what `known-conditions.ts` takes. */
  | { readonly kind: 'necessary'; readonly timeoutMs: number; readonly careful: boolean }
  /** Payload: NDJSON. `header`: `EvaluateHeader` as JSON. */
  | { readonly kind: 'evaluate'; readonly timeoutMs: number; readonly careful: boolean; readonly header: string }
  /** Payload: `TestRequest[]` as JSON; answer: `TestAnswer[]`. */
  | { readonly kind: 'test'; readonly timeoutMs: number; readonly careful: boolean }

/** Child → engine. */
export type Reply =
  /** Payload: JSON text of the answer; for `start` with `makeSnapshot` the snapshot. */
  | { readonly kind: 'answer' }
  /** Still working. In careful mode one before every 'call' of the rules' own code. */
  | ({ readonly kind: 'beat' } & Beat)
  /** The interpreter is gone, at this mark; the child ends itself. `timeout`: because the engine interrupted it. */
  | {
      readonly kind: 'died'
      readonly how: 'timeout' | 'crash'
      readonly mark: number
      readonly message: string
      /** It had not begun to run rules: it was reading the events. */
      readonly isReading: boolean
    }

/** A file and its text. */
export type Source = readonly [file: string, text: string]

/** Rules, helpers and data models as the Python engine reads them. */
export interface LoadContent {
  readonly sources: readonly Source[]
  /** For each source its compiled code, or `null` when there is none. */
  readonly compiled: readonly (string | null)[]
  readonly rules: readonly { id: string; kind: RuleKind; file: string; source: number; root: string; folder: string }[]
  /** `broken`: why it must not be imported. */
  readonly helpers: readonly {
    name: string
    file: string
    source: number
    root: string
    folder: string | null
    broken: string | null
  }[]
  readonly dataModels: readonly ModelContent[]
  /** Log type → ids of its rules, in the order that `EvaluateHeader.rules` counts. */
  readonly logTypes: Readonly<Record<string, readonly string[]>>
  /** Indexes of rules, and behind them of data models, that must not be loaded: they ended a child. */
  readonly skip: readonly number[]
  /** Announce each rule: slower, and whoever ends the child is known. */
  readonly careful: boolean
  /** When to look whether an import has changed what all rules share: at the end, or after each one, which tells whose it was. */
  readonly watch: LoadWatch
}

export type LoadWatch = 'end' | 'each' | 'never'

export interface LoadAnswer {
  /** `number` counts rules, then data models. */
  readonly errors: readonly (readonly [number: number, cause: 'timeout' | 'import' | 'tampering', message: string])[]
  /** Helpers by their index that took too long to import. */
  readonly broken: readonly (readonly [helper: number, why: string])[]
  /** What somebody's import has changed that all rules share. */
  readonly changed: string | null
}

/** What the reading of rules, without running them, needs. */
export interface NecessaryContent extends Pick<LoadContent, 'sources' | 'rules' | 'helpers' | 'dataModels' | 'logTypes'> {
  /** Of the rules that are loaded beside these and need not be read. */
  readonly elsewhere: Traits
}

/** What of sources the reading of rules depends on that do not import them. */
export interface Traits {
  /** Names that they give to attributes of anything, sorted. */
  readonly attributes: readonly string[]
  /** One makes what `unittest.mock` offers. */
  readonly mocks: boolean
}

/** A data model; its paths and methods by name. */
export interface ModelContent {
  readonly id: string
  /** The YAML file. */
  readonly file: string
  readonly root: string
  readonly folder: string
  /** Index in `sources`. */
  readonly source: number | null
  readonly logTypes: readonly string[]
  readonly paths: readonly (readonly [name: string, path: string])[]
  readonly methods: readonly (readonly [name: string, method: string])[]
}

export interface TestRequest {
  readonly ruleId: string
  /** JSON text. */
  readonly log: string
  readonly mocks: RuleTest['mocks']
}

export type TestAnswer = Pick<TestRun, 'out' | 'errors' | 'where' | 'printed' | 'ms'>

export interface EvaluateHeader {
  readonly logType: string
  /** Which of the log type's rules run, as indexes; `rule` below counts in this list. */
  readonly rules: readonly number[]
  /** Pairs of (rule, event) that are left out: they ended a child. */
  readonly skip: readonly (readonly [number, number])[]
  /** For each of the rules the events that it sees, ascending; absent: every rule sees every event. */
  readonly only?: readonly (readonly number[])[]
  /** Announce each call: slower, and whoever ends the child is known. */
  readonly careful: boolean
  /** Look after each rule whether it has changed what all share, not only after all of them. */
  readonly watch: boolean
}

/** A row of an evaluation: a match with what the rule's own functions gave, or an error. */
export type Row =
  | readonly [event: number, rule: number, values: MatchValues, errors: Record<string, string>]
  | readonly [event: number, rule: number, cause: 'exception' | 'return_type' | 'timeout', message: string]

/** Function → its value, limits applied; absent functions and failed ones are absent. */
export interface MatchValues {
  readonly title?: string
  readonly description?: string
  readonly reference?: string
  readonly severity?: string
  readonly runbook?: string
  readonly destinations?: readonly string[] | null
  readonly dedup?: string
  /** JSON text. */
  readonly alert_context?: string
  readonly unique?: string | null
}

export interface EvaluateAnswer {
  readonly rows: readonly Row[]
  /** Seconds spent, by rule of the request. */
  readonly seconds: readonly number[]
  /** What the rules changed in their cache. */
  readonly cacheWrites: readonly (readonly [key: string, entry: string | null])[]
  /** How many entries of the cache rules lost because they wanted more than their share. */
  readonly cacheEvictions: readonly (readonly [ruleId: string, entries: number])[]
}

/** Instead of an answer: a rule of the request (`null`: not known which) has changed what all rules share. The child is lost. */
export interface TamperingAnswer {
  readonly changed: readonly [rule: number | null, what: string]
}

/** Marks, as `_caracal/limits.py` makes them: (event * rules + rule) * 16 + 1 + function. */
const FUNCTIONS = 16
const LOADING = 0xf0000000

/** Which test of a request a mark stands for. */
export function markedTest(mark: number): number | undefined {
  return markedCall(mark, 1)?.event
}

/** The import of which rule, or data model or helper behind the rules, a mark stands for. */
export function loadingItem(mark: number): number | undefined {
  return mark >= LOADING ? mark - LOADING : undefined
}

/** Whether two marks stand for the same call of a rule, whichever of its functions runs. */
export function isSameCall(a: number, b: number): boolean {
  return a === b || (a < LOADING && b < LOADING && Math.floor(a / FUNCTIONS) === Math.floor(b / FUNCTIONS))
}

/** Which event and rule a mark stands for, or `undefined` when no rule was running. */
export function markedCall(mark: number, rules: number): { event: number; rule: number } | undefined {
  if (mark === 0 || mark >= LOADING || rules === 0) return undefined
  const call = Math.floor(mark / FUNCTIONS)
  return { event: Math.floor(call / rules), rule: call % rules }
}
