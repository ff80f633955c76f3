import { z } from 'zod'

/** Text that the state can store and be queried with: no NUL, no lone surrogate. */
export function storable(maxLength: number) {
  return z
    .string()
    .max(maxLength)
    .refine((text) => text.isWellFormed() && !text.includes('\0'), 'has a NUL character or half a surrogate pair')
}
