import { python } from './python/index.ts'
import { simple } from './simple/index.ts'

/** Built-in detection languages. To add one, add a folder here and a name to this list. */
export const languages = [python, simple] as const
