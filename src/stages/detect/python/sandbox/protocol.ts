/**
 * The protocol between the engine and the Python child: frames (`util/frames.ts`) on the child's stdin and stdout, one
 * request at a time, each answered by exactly one `answer` or `died`, with `beat`s while the child works.
 */
import type { RuleTrace } from '../../../../model/explanation.ts'
import type { RuleKind, RuleTest } from '../../../../model/rule.ts'
import type { TestRun } from '../../language.ts'
import type { Beat } from '../interpreter/watch.ts'

/** Engine → child. */
export type Request =
  /** The child's first frame. The snapshot is file descriptor 3; to create one, `sources` follow. */
  | { readonly kind: 'start'; readonly makeSnapshot: boolean; readonly memoryBytes: number }
  /** Payload: `{path: source}` as JSON. Only after a start that creates a snapshot. */
  | { readonly kind: 'sources' }
  /** Payload: `[file, source][]` as JSON; answer: the compiled code of each as text, or null. Sent before any rule runs. */
  | { readonly kind: 'compile'; readonly timeoutMs: number; readonly careful: boolean }
  /** Payload: `LoadContent` as JSON; answer: `LoadAnswer`. */
  | { readonly kind: 'load'; readonly timeoutMs: number; readonly careful: boolean }
  /** Payload: `[key, entry or null][]` as JSON: the rule cache, in several requests if it is large, or the changes to it. */
  | { readonly kind: 'fill'; readonly timeoutMs: number; readonly careful: boolean }
  /** Payload: `NecessaryContent` as JSON; answer: as `known-conditions.ts` reads it. */
  | { readonly kind: 'necessary'; readonly timeoutMs: number; readonly careful: boolean }
  /** Payload: NDJSON. `header`: `EvaluateHeader` as JSON. `tables`: the stamp of the tables that `lookup` reads. */
  | {
      readonly kind: 'evaluate'
      readonly timeoutMs: number
      readonly careful: boolean
      readonly header: string
      readonly tables?: string
    }
  /** Payload: `TestRequest[]` as JSON; answer: `TestAnswer[]`. */
  | { readonly kind: 'test'; readonly timeoutMs: number; readonly careful: boolean }
  /** The answer to a `lookup`, in the middle of a request. Payload: `Looked` as JSON. */
  | { readonly kind: 'row' }

/** Child → engine. */
export type Reply =
  /** Payload: JSON text of the answer; for `start` with `makeSnapshot` the snapshot. */
  | { readonly kind: 'answer' }
  /** Still working. In careful mode, sent before every call of the rules' own code. */
  | ({ readonly kind: 'beat' } & Beat)
  /** The call at this mark reads a table, and waits for a `row`. Payload: `[table, key]` as JSON. */
  | { readonly kind: 'lookup'; readonly mark: number }
  /** The interpreter died at this mark, and the child ends itself. `timeout`: because the engine interrupted it. */
  | {
      readonly kind: 'died'
      readonly how: 'timeout' | 'crash'
      readonly mark: number
      readonly message: string
      /** It was still reading the events and had not run a rule. */
      readonly isReading: boolean
    }

/** A file and its text. */
export type Source = readonly [file: string, text: string]

/** Rules, helpers and data models for the Python engine. */
export interface LoadContent {
  readonly sources: readonly Source[]
  /** The compiled code of each source, or `null` if there is none. */
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
  /** Indexes of rules, followed by data models, that must not be loaded because they ended a child. */
  readonly skip: readonly number[]
  /** Announce each rule: slower, but identifies the one that ends the child. */
  readonly careful: boolean
  /** When to check whether an import has changed shared state: at the end, or after each import, which identifies the culprit. */
  readonly watch: LoadWatch
  /** Tests may be traced: the texts of all sources are kept. */
  readonly traces: boolean
}

export type LoadWatch = 'end' | 'each' | 'never'

export interface LoadAnswer {
  /** `number` counts rules first, then data models. */
  readonly errors: readonly (readonly [number: number, cause: 'timeout' | 'import' | 'tampering', message: string])[]
  /** Indexes of helpers that took too long to import. */
  readonly broken: readonly (readonly [helper: number, why: string])[]
  /** Shared state that an import has changed. */
  readonly changed: string | null
}

/** Input for reading rules without running them. */
export interface NecessaryContent extends Pick<LoadContent, 'sources' | 'rules' | 'helpers' | 'dataModels' | 'logTypes'> {
  /** Traits of the rules that are also loaded but need not be read. */
  readonly elsewhere: Traits
}

/** Properties of sources that affect the reading of rules that do not import them. */
export interface Traits {
  /** Names of attributes that they assign on any object, sorted. */
  readonly attributes: readonly string[]
  /** One of them creates objects of `unittest.mock`. */
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
  /** `lookup` asks the engine. */
  readonly hasTables: boolean
  /** The event has the engine's times, not the hosted service's. */
  readonly isLive: boolean
  /** Follow the rule's main function. */
  readonly trace: boolean
}

export interface TestAnswer extends Pick<TestRun, 'out' | 'errors' | 'where' | 'printed' | 'ms'> {
  readonly trace?: RuleTrace
}

export interface EvaluateHeader {
  readonly logType: string
  /** Indexes of the log type's rules that run; `rule` below is an index into this list. */
  readonly rules: readonly number[]
  /** Pairs of (rule, event) that are left out because they ended a child. */
  readonly skip: readonly (readonly [number, number])[]
  /** The events that each rule sees, ascending; absent: every rule sees every event. */
  readonly only?: readonly (readonly number[])[]
  /** Announce each call: slower, but identifies the one that ends the child. */
  readonly careful: boolean
  /** Check for changes to shared state after each rule, not only after all of them. */
  readonly watch: boolean
}

/** A row of an evaluation. */
export type Row = MatchRow | ErrorRow

/** A match with the results of the rule's functions, their errors, and its questions to tables, if it had any. */
export type MatchRow = readonly [
  event: number,
  rule: number,
  values: MatchValues,
  errors: Record<string, string>,
  questions?: readonly string[],
]

export type ErrorRow = readonly [event: number, rule: number, cause: 'exception' | 'return_type' | 'timeout', message: string]

/** Function → its value, with limits applied; undefined and failed functions are absent. */
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
  /** Changes to the rule cache. */
  readonly cacheWrites: readonly (readonly [key: string, entry: string | null])[]
  /** Number of cache entries that rules lost by exceeding their share. */
  readonly cacheEvictions: readonly (readonly [ruleId: string, entries: number])[]
}

/** Instead of an answer: a rule of the request (`null`: unknown) has changed shared state. The child is discarded. */
export interface TamperingAnswer {
  readonly changed: readonly [rule: number | null, what: string]
}

/** Marks, as produced by `_caracal/limits.py`: (event * rules + rule) * 16 + 1 + function. */
const FUNCTIONS = 16
const LOADING = 0xf0000000

/** The test of a request that a mark refers to. */
export function markedTest(mark: number): number | undefined {
  return markedCall(mark, 1)?.event
}

/** The rule, data model or helper (numbered in this order) whose import a mark refers to. */
export function loadingItem(mark: number): number | undefined {
  return mark >= LOADING ? mark - LOADING : undefined
}

/** Whether two marks refer to the same call of a rule, whichever of its functions runs. */
export function isSameCall(a: number, b: number): boolean {
  return a === b || (a < LOADING && b < LOADING && Math.floor(a / FUNCTIONS) === Math.floor(b / FUNCTIONS))
}

/** The event and rule that a mark refers to, or `undefined` if no rule was running. */
export function markedCall(mark: number, rules: number): { event: number; rule: number } | undefined {
  if (mark === 0 || mark >= LOADING || rules === 0) return undefined
  const call = Math.floor(mark / FUNCTIONS)
  return { event: Math.floor(call / rules), rule: call % rules }
}
