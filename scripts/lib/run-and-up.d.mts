/** Runs `caracal run` and `caracal up` over the files and says in which events, matches and dead letters they differ. */
export function compareRunAndUp(
  files: readonly string[],
  options: { readonly folder: string; readonly program: string; readonly content?: readonly string[]; readonly workers?: number },
): Promise<{
  readonly events: number
  readonly matches: number
  readonly deadLetters: number
  readonly differences: readonly string[]
}>
