import { Anchor, Breadcrumbs, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { type Answer, call } from '../../api/client.ts'
import { CodeBlock } from '../../parts/code-block.tsx'
import { DataPage } from '../../parts/data-page.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Section } from '../../parts/section.tsx'
import { FirstEvents } from './first-events.tsx'
import { blockOf, type Wish } from './kinds.ts'
import { ShipperLines } from './shipper-lines.tsx'
import { SourceForm } from './source-form.tsx'

export type AddedSource = Answer<'POST /api/v1/sources'>

/** Adds a source, shows what its senders need, and waits for the first event. */
export function NewSource() {
  const client = useQueryClient()
  const [wish, setWish] = useState<Wish>()
  const [sinceMs, setSinceMs] = useState(0)
  const add = useMutation({
    mutationFn: (wanted: Wish) =>
      call('POST /api/v1/sources', { body: { source: blockOf(wanted), ...(wanted.kind.port === undefined && { token: {} }) } }),
    onMutate: () => setSinceMs(Date.now()),
    onSettled: () => client.invalidateQueries({ queryKey: ['sources'] }),
  })
  const submit = (wanted: Wish) => {
    setWish(wanted)
    if (!wanted.kind.lines) add.mutate(wanted)
  }
  return (
    <DataPage title="Add a source">
      <Breadcrumbs>
        <Anchor renderRoot={(props) => <Link to="/sources" {...props} />}>Sources</Anchor>
        <Text c="dimmed" className="foreign">
          {add.data?.source.id ?? 'New'}
        </Text>
      </Breadcrumbs>
      {!add.data && <SourceForm isAdding={add.isPending} onSubmit={submit} />}
      {add.error && <Failure error={add.error} />}
      {wish?.kind.lines && <InFile wish={wish} />}
      {add.data && (
        <>
          <ShipperLines added={add.data} />
          <FirstEvents sourceId={add.data.source.id} sinceMs={sinceMs} />
        </>
      )}
    </DataPage>
  )
}

/** Sources that read files or buckets are not added from a browser: what a session could be made to read must not depend on it. */
function InFile({ wish: { kind, id, logTypes } }: { readonly wish: Wish }) {
  return (
    <Section title="Add these lines to caracal.yml">
      <CodeBlock text={kind.lines!(id, logTypes)} />
      <Text>
        Then restart Caracal. Sources that read by themselves are only added in the file, so that a stolen session cannot make
        Caracal read other files. The help page{' '}
        <Anchor renderRoot={(props) => <Link to="/help/$name" params={{ name: 'sources' }} {...props} />}>Sources</Anchor> has
        their keys.
      </Text>
    </Section>
  )
}
