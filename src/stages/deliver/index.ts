import { stdout } from './stdout.ts'
import { webhook } from './webhook.ts'

/** Built-in destinations. A new one is one file in this folder and one name here. */
export const destinations = [stdout, webhook] as const
