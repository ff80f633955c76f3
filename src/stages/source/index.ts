import { azureBlob } from './azure/azure-blob.ts'
import { elasticsearch } from './elasticsearch.ts'
import { exec } from './exec.ts'
import { file } from './file.ts'
import { fluentForward } from './fluent-forward.ts'
import { gcs } from './gcs/gcs.ts'
import { host } from './host.ts'
import { http } from './http.ts'
import { journalUpload } from './journald/journal-upload.ts'
import { journald } from './journald/journald.ts'
import { kafka } from './kafka/kafka.ts'
import { loki } from './loki.ts'
import { otlp } from './otlp.ts'
import { poll } from './poll/poll.ts'
import { s3 } from './s3/s3.ts'
import { splunkHec } from './splunk-hec.ts'
import { sqs } from './sqs/sqs.ts'
import { stdin } from './stdin.ts'
import { syslog } from './syslog.ts'

/** Built-in sources. A new one is one file in this folder and one name here. */
export const sources = [
  azureBlob,
  elasticsearch,
  exec,
  file,
  fluentForward,
  gcs,
  host,
  http,
  journalUpload,
  journald,
  kafka,
  loki,
  otlp,
  poll,
  s3,
  splunkHec,
  sqs,
  stdin,
  syslog,
] as const
