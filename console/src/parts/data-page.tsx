import { Group, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './data-page.module.css'

interface DataPageProps {
  readonly title: string
  readonly aside?: ReactNode
  readonly children: ReactNode
}

export function DataPage({ title, aside, children }: DataPageProps) {
  return (
    <div className={classes['page']}>
      <Group justify="space-between">
        <Title order={1} size="h3">
          {title}
        </Title>
        {aside}
      </Group>
      {children}
    </div>
  )
}
