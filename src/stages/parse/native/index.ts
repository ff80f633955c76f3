import { apacheCombined, apacheCommon } from './apache-access.ts'
import type { NativeParser } from './native.ts'
import { nginxAccess } from './nginx-access.ts'
import { syslog } from './syslog.ts'

/** Built-in parsers of text formats. A new one is one file in this folder and one name here. */
export const nativeParsers: readonly NativeParser[] = [apacheCombined, apacheCommon, nginxAccess, syslog]
