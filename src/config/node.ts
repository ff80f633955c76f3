import { hostname } from 'node:os'
import { z } from 'zod'

/** How one process is called among several with the same state. */
export const nodeSchema = z.string().regex(/^[\w.-]{1,50}$/, 'at most 50 letters, digits, dots, hyphens and underscores')

/** The name of this node: the configured one, or that of the machine. */
export function nodeName({ node }: { readonly node?: string | undefined }): string {
  return (
    node ??
    (hostname()
      .replace(/[^\w.-]+/g, '-')
      .slice(0, 50) ||
      'caracal')
  )
}
