import type { ErrorComponentProps } from '@tanstack/react-router'
import { Failure } from '../parts/failure.tsx'

/** In place of a page that broke, or whose files are those of another version. */
export function PageFailure({ error }: ErrorComponentProps) {
  return <Failure error={error} onRetry={() => location.reload()} />
}
