import { z } from 'zod'

/** Where a secret is: configuration never holds the secret itself. */
export const secretReference = z.union([
  z.strictObject({ env: z.string().min(1).describe('Name of the environment variable that holds the secret.') }),
  z.strictObject({ file: z.string().min(1).describe('File that holds the secret; white space around it is dropped.') }),
])

export type SecretReference = z.output<typeof secretReference>
