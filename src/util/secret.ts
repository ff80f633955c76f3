import { z } from 'zod'

/** A reference to a secret; the configuration never contains the secret itself. */
export const secretReference = z.union(
  [
    z.strictObject({ env: z.string().min(1).describe('Name of the environment variable that contains the secret.') }),
    z.strictObject({ file: z.string().min(1).describe('File that contains the secret; surrounding white space is ignored.') }),
  ],
  { error: 'a secret is not written in the configuration: use `{env: NAME}` or `{file: PATH}`' },
)

export type SecretReference = z.output<typeof secretReference>
