import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { hash16 } from '../util/hash.ts'
import { secretReference } from '../util/secret.ts'

const UNITS = { s: 1000, m: 60_000, h: 3_600_000 } as const
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

const gitUrl = z
  .url({ protocol: /^https?$/, error: 'the https:// (or http://) URL of a git repository', abort: true })
  .refine(
    (text) => !/^[^/]*\/\/[^/]*@/.test(text),
    'a user name or password does not belong in the URL: use `username` and `password`',
  )

/** A content folder that is pulled from git. */
export const gitContent = z
  .strictObject({
    git: gitUrl.describe('URL of the repository, https:// or http://.'),
    ref: z
      .string()
      .regex(/^(?![-/.])(?!.*(?:\.\.|\/\/|@\{))[\w./@+-]{1,200}$/, 'the name of a branch or a tag')
      .default('main')
      .describe('Branch or tag to follow.'),
    path: z
      .string()
      .regex(/^(?!\/)(?!(?:.*\/)?\.{1,2}(?:\/|$))[^\\\0]{1,500}$/, 'a folder inside the repository, without `..`')
      .transform((text) => text.replace(/\/+$/, ''))
      .optional()
      .describe('Folder in the repository that contains the content. Default: the whole repository.'),
    every: z
      .string()
      .regex(/^[1-9]\d{0,4}[smh]$/, 'a time as in 30s, 5m or 1h')
      .transform((text) => Number(text.slice(0, -1)) * UNITS[text.slice(-1) as keyof typeof UNITS])
      .refine((ms) => ms >= 10_000 && ms <= 24 * UNITS.h, 'between 10s and 24h')
      .prefault('5m')
      .describe('How often to check whether the ref has moved, as in 30s, 5m or 1h.'),
    username: z
      .string()
      .regex(/^[^:\p{Cc}]{1,200}$/u, 'a user name, without a colon')
      .default('git')
      .describe('User name to send with the password.'),
    password: secretReference.optional().describe('Password or access token of the repository.'),
  })
  .refine(({ git, password }) => password === undefined || git.startsWith('https:') || LOOPBACK.test(new URL(git).hostname), {
    path: ['git'],
    error: 'a password is only sent over https://',
  })

export type GitContent = z.output<typeof gitContent>
export type ContentEntry = string | GitContent

interface Chosen {
  readonly content: readonly ContentEntry[]
  readonly data_dir: string
}

/** Where everything of a repository is kept. */
export function gitFolder(dataDir: string, { git, ref, path = '' }: GitContent): string {
  return join(dataDir, 'content-git', hash16(git, ref, path))
}

/** The content folder of a repository: a link to what was put in force last. It is not there before the first pull. */
export function gitTree(dataDir: string, entry: GitContent): string {
  return join(gitFolder(dataDir, entry), 'tree')
}

/** The folders of the configured content, those of repositories that were pulled included. */
export function contentFolders({ content, data_dir }: Chosen): string[] {
  return content.flatMap((entry) => {
    if (typeof entry === 'string') return [entry]
    const tree = gitTree(data_dir, entry)
    return existsSync(tree) ? [tree] : []
  })
}

/** A sentence for each repository that was not pulled yet. */
export function unpulled({ content, data_dir }: Chosen): string[] {
  return content.flatMap((entry) =>
    typeof entry === 'string' || existsSync(gitTree(data_dir, entry))
      ? []
      : [`Content from ${gitName(entry)} is missing: \`caracal up\` has not pulled it yet`],
  )
}

/** A repository as people know it: its URL, ref and folder. */
export function gitName({ git, ref, path }: GitContent): string {
  return `${git}#${ref}${path === undefined ? '' : `:${path}`}`
}
