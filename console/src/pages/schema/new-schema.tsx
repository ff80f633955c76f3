import { Alert, Anchor, Breadcrumbs, Button, Group, List, Skeleton, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { type Answer, ApiProblem, call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { DataPage } from '../../parts/data-page.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Section } from '../../parts/section.tsx'
import { useSession } from '../../session/session.tsx'
import { Reading } from './reading.tsx'
import { SampleReading } from './sample-reading.tsx'
import classes from './schema.module.css'
import { SchemaTests } from './schema-tests.tsx'

const ContentEditor = lazy(() => import('../../parts/content-editor.tsx'))

type Inferred = Answer<'POST /api/v1/schemas/infer'>
type Saved = Answer<'POST /api/v1/schemas'>

/** Writes a schema for records that somebody pastes. */
export function NewSchema() {
  const [name, setName] = useState('Custom.')
  const [sample, setSample] = useState('')
  const infer = useMutation({ mutationFn: () => call('POST /api/v1/schemas/infer', { body: { name: name.trim(), sample } }) })
  return (
    <DataPage title="New schema">
      <Breadcrumbs>
        <Anchor renderRoot={(props) => <Link to="/schemas" {...props} />}>Schemas</Anchor>
        <Text c="dimmed">New</Text>
      </Breadcrumbs>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          infer.mutate()
        }}
      >
        <TextInput
          label="Log type"
          description="Vendor and kind, as in Custom.Door."
          w={280}
          mb="sm"
          required
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Textarea
          label="Records"
          description="A few lines of the log, as they arrive: JSON, text or CSV. The more different they are, the better the schema."
          classNames={{ input: 'mono' }}
          autosize
          minRows={6}
          maxRows={16}
          required
          value={sample}
          onChange={(event) => setSample(event.currentTarget.value)}
        />
        <Group my="sm">
          <Button type="submit" size="xs" loading={infer.isPending}>
            Write a schema
          </Button>
        </Group>
      </form>
      {infer.error && <Failure error={infer.error} />}
      {infer.data && <Proposal key={infer.data.yaml} inferred={infer.data} />}
    </DataPage>
  )
}

function Proposal({ inferred }: { readonly inferred: Inferred }) {
  const { may } = useSession()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [yaml, setYaml] = useState(inferred.yaml)
  const save = useMutation({
    mutationFn: () => call('POST /api/v1/schemas', { body: { yaml } }),
    onSuccess: () => {
      announce('Saved, and in force')
      void client.invalidateQueries({ queryKey: ['schemas'] })
      const [, name] = /^schema:\s*['"]?([^\s'"#]+)/m.exec(yaml) ?? []
      void navigate(name === undefined ? { to: '/schemas' } : { to: '/schemas/$name', params: { name } })
    },
  })
  const refused = save.error instanceof ApiProblem ? (save.error.body as Saved | undefined) : undefined
  return (
    <Section title="The schema">
      <Text>Records are read as {inferred.format}.</Text>
      {inferred.notes.length > 0 && (
        <List my="xs">
          {inferred.notes.map((note) => (
            <List.Item key={note} className="foreign">
              {note}
            </List.Item>
          ))}
        </List>
      )}
      <Reading reading={inferred.reading} />
      <div className={classes['editor']}>
        <Suspense fallback={<Skeleton height="calc(var(--editor-height) + 2px)" />}>
          <ContentEditor language="yaml" label="Schema" value={yaml} isReadOnly={false} onChange={setYaml} />
        </Suspense>
      </div>
      {may('content:change') && (
        <Group my="sm">
          <Button size="xs" loading={save.isPending} onClick={() => save.mutate()}>
            Save
          </Button>
          <Text c="dimmed">It is written to the content folder, and in force at once.</Text>
        </Group>
      )}
      {save.error && (
        <Alert color="red" role="alert" my="sm" className="foreign">
          {save.error.message}
        </Alert>
      )}
      {refused?.tests && <SchemaTests tests={refused.tests} problems={refused.problems} />}
      <SampleReading yaml={yaml} />
    </Section>
  )
}
