import { python } from './python/index.ts'
import { simple } from './simple/index.ts'

/** Built-in detection languages. A new one is one folder here and one name in this list. */
export const languages = [python, simple] as const
