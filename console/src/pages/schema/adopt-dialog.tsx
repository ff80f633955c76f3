import { Alert, Button, Group, Modal, Skeleton, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { type Answer, ApiProblem, call } from '../../api/client.ts'
import { announce } from '../../parts/announce.tsx'
import { Failure } from '../../parts/failure.tsx'
import { counted } from '../../parts/number.ts'
import { SchemaTests } from './schema-tests.tsx'

const ContentDiff = lazy(() => import('../../parts/content-diff.tsx'))

type Saved = Answer<'PUT /api/v1/schemas/{name}'>

interface AdoptDialogProps {
  readonly logType: string
  readonly fields: readonly string[]
  onClose(): void
  onAdopted(): void
}

/** What adopting fields changes of the schema's file, before it is saved. */
export function AdoptDialog({ logType, fields, onClose, onAdopted }: AdoptDialogProps) {
  const client = useQueryClient()
  const path = { name: logType }
  const preview = useQuery({
    queryKey: ['schemas', logType, 'unknown-fields', fields],
    gcTime: 0,
    queryFn: async ({ signal }) => {
      const before = await call('GET /api/v1/schemas/{name}', { path, signal })
      const after = await call('POST /api/v1/schemas/{name}/unknown-fields', { path, body: { fields: [...fields] }, signal })
      return { before: before.yaml, after: after.yaml, revision: after.revision, readOnly: before.read_only }
    },
  })
  const save = useMutation({
    mutationFn: (body: { readonly yaml: string; readonly revision: string }) =>
      call('PUT /api/v1/schemas/{name}', {
        path,
        body: { ...body, message: `Adopt ${fields.join(', ')} in ${logType}`.slice(0, 1000) },
      }),
    onSuccess: () => {
      announce('Adopted, and in force')
      for (const key of ['schemas', 'fields', 'sources']) void client.invalidateQueries({ queryKey: [key] })
      onAdopted()
    },
  })
  const refused = save.error instanceof ApiProblem ? (save.error.body as Saved | undefined) : undefined
  return (
    <Modal opened onClose={onClose} title={`Adopt ${counted(fields.length, 'field')}`} size="lg" centered>
      {preview.error && <Failure error={preview.error} onRetry={() => void preview.refetch()} />}
      {preview.data ? (
        <>
          <Text mb="sm">The schema of {logType} changes like this. Events that are stored keep these values in extra.</Text>
          <Suspense fallback={<Skeleton height={200} />}>
            <ContentDiff language="yaml" label="Changes of the schema" before={preview.data.before} after={preview.data.after} />
          </Suspense>
          {preview.data.readOnly !== null && (
            <Text mt="sm" c="dimmed">
              {preview.data.readOnly}: a copy is written to your content folder.
            </Text>
          )}
          {save.error && (
            <Alert color="red" role="alert" my="sm" className="foreign">
              {save.error.message}
            </Alert>
          )}
          {refused?.tests && <SchemaTests tests={refused.tests} problems={refused.problems} />}
          <Group mt="md" justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              loading={save.isPending}
              onClick={() => save.mutate({ yaml: preview.data.after, revision: preview.data.revision })}
            >
              Adopt
            </Button>
          </Group>
        </>
      ) : (
        !preview.error && <Skeleton height={240} aria-busy="true" />
      )}
    </Modal>
  )
}
