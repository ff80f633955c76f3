import { describe, test } from 'vitest'

/** One thing that every component of a kind must do. `check` throws, saying what was expected, when the subject does not do it. */
export interface Behaviour<Subject> {
  readonly name: string
  readonly check: (subject: Subject) => Promise<void> | void
}

/** What all components of one kind must do. A component is tested because it stands in the kind's registry. */
export interface Suite<Component extends { readonly type: string }, Subject> {
  /** As in docs/components.md, lower case and singular: `log format`. */
  readonly kind: string
  readonly registry: readonly Component[]
  /** What the behaviours are checked on: the component with what it takes to put it to use. Throws when something is missing for that. */
  readonly subjectOf: (component: Component) => Subject
  readonly behaviours: readonly Behaviour<Subject>[]
}

/** Makes a test of each behaviour for each component of the registry. */
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

/** The names of the behaviours that a subject fails: a suite is tested by giving it components with a deliberate fault. */
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
