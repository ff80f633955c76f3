import { Anchor, Breadcrumbs, Skeleton, Text, TextInput } from '@mantine/core'
import { MagnifyingGlassIcon } from '@radix-ui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { DataPage } from '../../parts/data-page.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { DocumentList } from './document-list.tsx'
import { documentText } from './document-text.ts'
import { DocumentView } from './document-view.tsx'

/** The documents of this version: a list that can be searched, and each of them. */
export function Help() {
  const { name } = useParams({ strict: false })
  return name === undefined ? <Documents /> : <Document key={name} name={name} />
}

function Documents() {
  const [words, setWords] = useState('')
  return (
    <DataPage
      title="Help"
      aside={
        <TextInput
          size="xs"
          w={280}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
          leftSection={<MagnifyingGlassIcon />}
          placeholder="Search all documents"
          aria-label="Search all documents"
        />
      }
    >
      <DocumentList words={words} />
    </DataPage>
  )
}

function Document({ name }: { readonly name: string }) {
  const text = useQuery({
    queryKey: ['document', name],
    queryFn: () => documentText(name),
    staleTime: Number.POSITIVE_INFINITY,
  })
  useEffect(() => {
    if (text.data && location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView()
  }, [text.data])
  if (text.error) return <Failure error={text.error} onRetry={() => void text.refetch()} />
  if (text.data === null)
    return (
      <Empty title={`There is no document “${name}”`} level={1}>
        <Anchor renderRoot={(props) => <Link to="/help" {...props} />}>All documents</Anchor>
      </Empty>
    )
  return (
    <DataPage title="">
      <Breadcrumbs>
        <Anchor renderRoot={(props) => <Link to="/help" {...props} />}>Help</Anchor>
        <Text c="dimmed" className="foreign">
          {name}
        </Text>
      </Breadcrumbs>
      {text.data === undefined ? <Skeleton height="40rem" aria-busy="true" /> : <DocumentView text={text.data} />}
    </DataPage>
  )
}
