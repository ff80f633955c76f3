import { cloudwatchLogs } from './cloudwatch-logs.ts'
import { commandLines } from './command-lines.ts'
import type { Decoder } from './decoder.ts'
import { elasticsearchBulk } from './elasticsearch-bulk.ts'
import { fluentForward } from './fluent-forward.ts'
import { hecEvent } from './hec-event.ts'
import { hecRaw } from './hec-raw.ts'
import { journalExport } from './journal-export.ts'
import { json } from './json.ts'
import { jsonArray } from './json-array.ts'
import { jsonEnvelope } from './json-envelope.ts'
import { jsonSequence } from './json-sequence.ts'
import { lines } from './lines.ts'
import { lokiJson } from './loki-json.ts'
import { lokiProtobuf } from './loki-protobuf.ts'
import { multiLine } from './multi-line.ts'
import { otlpJson } from './otlp-json.ts'
import { otlpProtobuf } from './otlp-protobuf.ts'
import { syslogMessages } from './syslog-messages.ts'
import { xml } from './xml.ts'

/** Built-in decoders. Text decoders are tried in this order at the beginning of each record; those of bodies are named. A new one is one file and one name here. */
export const decoders: readonly Decoder[] = [
  jsonSequence,
  jsonArray,
  jsonEnvelope,
  json,
  multiLine,
  xml,
  lines,
  cloudwatchLogs,
  commandLines,
  elasticsearchBulk,
  fluentForward,
  hecEvent,
  hecRaw,
  journalExport,
  lokiJson,
  lokiProtobuf,
  otlpJson,
  otlpProtobuf,
  syslogMessages,
]
