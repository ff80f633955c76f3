import { Drawer, Skeleton, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { call, type Item } from '../../api/client.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { counted } from '../../parts/number.ts'
import { When } from '../../parts/when.tsx'
import classes from './watch.module.css'

type Generation = Item<'GET /api/v1/content/history'>

const MOST_FILES = 20

const COLUMNS: readonly Column<Generation>[] = [
  { name: 'Time', value: ({ time }) => time, show: ({ time }) => <When time={time} /> },
  { name: 'By', value: ({ by, cause }) => by ?? cause, show: ({ by, cause }) => <span className="foreign">{by ?? cause}</span> },
  { name: 'Files', show: ({ files }) => <Files files={files} /> },
]

interface ContentChangesProps {
  /** RFC 3339. */
  readonly since: () => string
  readonly refetchInterval: number
  /** A line with a name and its value. */
  line(what: ReactNode, value: string): ReactNode
}

/** How many files of the content have changed; which ones is a click away. */
export function ContentChanges({ since, refetchInterval, line }: ContentChangesProps) {
  const [isOpen, { open, close }] = useDisclosure(false)
  const changes = useQuery({
    queryKey: ['overview', 'content'],
    queryFn: async ({ signal }) => {
      const { results } = await call('GET /api/v1/content/history', { query: { limit: 50 }, signal })
      const from = since()
      return results.filter(({ time, cause, files }) => time >= from && cause !== 'start' && files.length > 0)
    },
    refetchInterval,
  })
  if (!changes.data) return <Skeleton height={24} component="li" />
  const files = new Set(changes.data.flatMap(({ files }) => files.map(({ root, path }) => `${root}/${path}`)))
  if (files.size === 0) return line('Content', 'unchanged')
  return (
    <>
      {line(
        <UnstyledButton className={classes['opens']!} aria-haspopup="dialog" onClick={open}>
          Content
        </UnstyledButton>,
        `${counted(files.size, 'file')} changed`,
      )}
      <Drawer
        opened={isOpen}
        onClose={close}
        position="right"
        size="min(48rem, 100vw)"
        title={<b>Content that changed since yesterday</b>}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <DataTable columns={COLUMNS} rows={changes.data} keyOf={({ number }) => String(number)} minWidth={480} empty={null} />
      </Drawer>
    </>
  )
}

function Files({ files }: Pick<Generation, 'files'>) {
  return (
    <>
      {files.slice(0, MOST_FILES).map(({ root, path, change }) => (
        <div key={`${root}/${path}`}>
          {change} <code className="foreign">{path}</code>
        </div>
      ))}
      {files.length > MOST_FILES && `and ${counted(files.length - MOST_FILES, 'other file')}`}
    </>
  )
}
