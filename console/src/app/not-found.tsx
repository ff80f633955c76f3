import { Anchor } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Empty } from '../parts/empty.tsx'

export function NotFound() {
  return (
    <Empty title="No page has this address" level={1}>
      <Anchor component={Link} to="/">
        Go to the overview
      </Anchor>
    </Empty>
  )
}
