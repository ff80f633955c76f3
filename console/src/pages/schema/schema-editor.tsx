import { Alert, Button, Group, Skeleton, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { type Answer, ApiProblem, call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { Section } from '../../parts/section.tsx'
import { useSession } from '../../session/session.tsx'
import { SampleReading } from './sample-reading.tsx'
import classes from './schema.module.css'
import type { SchemaFile } from './schema.tsx'
import { SchemaTests } from './schema-tests.tsx'

const ContentEditor = lazy(() => import('../../parts/content-editor.tsx'))

type Saved = Answer<'PUT /api/v1/schemas/{name}'>

/** The file of a schema: edited, tried on records, and saved. Saving puts it in force, if its tests pass. */
export function SchemaEditor({ schema }: { readonly schema: SchemaFile }) {
  const { may } = useSession()
  const client = useQueryClient()
  const [yaml, setYaml] = useState(schema.yaml)
  const canEdit = schema.read_only === null && may('content:change')
  const save = useMutation({
    mutationFn: () =>
      call('PUT /api/v1/schemas/{name}', { path: { name: schema.name }, body: { yaml, revision: schema.revision } }),
    onSuccess: () => {
      announce('Saved, and in force')
      for (const key of ['schemas', 'fields', 'sources']) void client.invalidateQueries({ queryKey: [key] })
    },
  })
  const refused = save.error instanceof ApiProblem ? (save.error.body as Saved | undefined) : undefined
  return (
    <Section title="Schema file">
      <div className={classes['editor']}>
        <Suspense fallback={<Skeleton height="calc(var(--editor-height) + 2px)" />}>
          <ContentEditor language="yaml" label="Schema" value={yaml} isReadOnly={!canEdit} onChange={setYaml} />
        </Suspense>
      </div>
      {schema.read_only !== null && <Text c="dimmed">{schema.read_only}</Text>}
      {canEdit && (
        <Group my="sm">
          <Button size="xs" disabled={yaml === schema.yaml} loading={save.isPending} onClick={() => save.mutate()}>
            Save
          </Button>
          <Text c="dimmed">Tests in the file next to it run first.</Text>
        </Group>
      )}
      {save.error && (
        <Alert color="red" role="alert" my="sm" className="foreign">
          {save.error.message}
        </Alert>
      )}
      {refused?.tests && <SchemaTests tests={refused.tests} problems={refused.problems} />}
      {may('content:try') && <SampleReading yaml={yaml} />}
    </Section>
  )
}
