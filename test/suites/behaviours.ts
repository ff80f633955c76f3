import { describe, test } from 'vitest'

/** One thing that every component of a kind must do. If the subject fails to, `check` throws an error that says what was expected. */
export interface Behaviour<Subject> {
  readonly name: string
  readonly check: (subject: Subject) => Promise<void> | void
}

/** What all components of one kind must do. Every component in the kind's registry is tested. */
export interface Suite<Component extends { readonly type: string }, Subject> {
  /** As in docs/components.md, lower case and singular: `log format`. */
  readonly kind: string
  readonly registry: readonly Component[]
  /** The subject of the checks: the component with everything needed to use it. Throws if something is missing. */
  readonly subjectOf: (component: Component) => Subject
  readonly behaviours: readonly Behaviour<Subject>[]
}

/** Creates a test of each behaviour for each component of the registry. */
export function testSuite<Component extends { readonly type: string }, Subject>({
  kind,
  registry,
  subjectOf,
  behaviours,
}: Suite<Component, Subject>): void {
  describe.each(registry)(`${kind} $type`, (component) => {
    test.each(behaviours)('$name', ({ check }) => check(subjectOf(component as Component)))
  })
}

/** The names of the behaviours that a subject fails: suites are tested with components that have a deliberate fault. */
export async function failedBy<Subject>(behaviours: readonly Behaviour<Subject>[], subject: () => Subject): Promise<string[]> {
  const failed: string[] = []
  for (const { name, check } of behaviours) {
    try {
      await check(subject())
    } catch {
      failed.push(name)
    }
  }
  return failed
}
