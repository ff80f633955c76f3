import { file } from './file.ts'
import { http } from './http.ts'
import { s3 } from './s3/s3.ts'
import { stdin } from './stdin.ts'

/** Built-in sources. A new one is one file in this folder and one name here. */
export const sources = [file, http, s3, stdin] as const
