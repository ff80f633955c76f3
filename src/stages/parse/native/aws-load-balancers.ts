import type { JsonObject } from '../../../model/json.ts'
import { splitRequest } from './access-line.ts'
import { type Column, readColumns, recordOf } from './columns.ts'
import type { NativeParser } from './native.ts'

/**
 * Columns of access logs in the order of AWS's documentation ("Access log entries"), named as in Panther's `AWS.ALB`. AWS appends
 * new ones at the end; those that are not listed here are kept under `additionalFields`.
 */
const ALB: readonly Column[] = [
  ['type'],
  ['timestamp'],
  ['elb'],
  ['client', 'endpoint'],
  ['target', 'endpoint'],
  ['requestProcessingTime', 'number'],
  ['targetProcessingTime', 'number'],
  ['responseProcessingTime', 'number'],
  ['elbStatusCode', 'number'],
  ['targetStatusCode', 'number'],
  ['receivedBytes', 'number'],
  ['sentBytes', 'number'],
  ['request'],
  ['userAgent'],
  ['sslCipher'],
  ['sslProtocol'],
  ['targetGroupArn'],
  ['traceId'],
  ['domainName'],
  ['chosenCertArn'],
  ['matchedRulePriority', 'number'],
  ['requestCreationTime'],
  ['actionsExecuted', 'list'],
  ['redirectUrl'],
  ['errorReason'],
  ['targetPortList'],
  ['targetStatusCodeList'],
  ['classification'],
  ['classificationReason'],
  ['connTraceId'],
]
/** Older entries end here. */
const ALB_LEAST = 20

/** Columns of Classic Load Balancers. */
const CLASSIC: readonly Column[] = [
  ['timestamp'],
  ['elb'],
  ['client', 'endpoint'],
  ['backend', 'endpoint'],
  ['requestProcessingTime', 'number'],
  ['backendProcessingTime', 'number'],
  ['responseProcessingTime', 'number'],
  ['elbStatusCode', 'number'],
  ['backendStatusCode', 'number'],
  ['receivedBytes', 'number'],
  ['sentBytes', 'number'],
  ['request'],
  ['userAgent'],
  ['sslCipher'],
  ['sslProtocol'],
]

const ALB_TYPES = new Set(['http', 'https', 'h2', 'grpcs', 'ws', 'wss'])
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?$/

export const awsAlb: NativeParser = {
  type: 'aws-alb',
  summary: 'Access logs of AWS Application Load Balancers.',
  example: {
    texts: [
      'https 2024-04-19T12:00:00.123456Z app/web/50dc6c495c0c9188 192.0.2.10:44325 10.0.0.1:80 0.013 0.164 0.000 200 200 391 1079 "GET https://example.com:443/ HTTP/1.1" "curl/8.5.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/web/73e2d6bc24d8a067 "Root=1-58337364-23a8c76965a2ef7629b185e3" "example.com" "-" 0 2024-04-19T11:59:59.900000Z "waf,forward" "-" "-"',
    ],
    records: [
      {
        type: 'https',
        timestamp: '2024-04-19T12:00:00.123456Z',
        elb: 'app/web/50dc6c495c0c9188',
        clientIp: '192.0.2.10',
        clientPort: 44325,
        targetIp: '10.0.0.1',
        targetPort: 80,
        requestProcessingTime: 0.013,
        targetProcessingTime: 0.164,
        responseProcessingTime: 0,
        elbStatusCode: 200,
        targetStatusCode: 200,
        receivedBytes: 391,
        sentBytes: 1079,
        userAgent: 'curl/8.5.0',
        sslCipher: 'ECDHE-RSA-AES128-GCM-SHA256',
        sslProtocol: 'TLSv1.2',
        targetGroupArn: 'arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/web/73e2d6bc24d8a067',
        traceId: 'Root=1-58337364-23a8c76965a2ef7629b185e3',
        domainName: 'example.com',
        matchedRulePriority: 0,
        requestCreationTime: '2024-04-19T11:59:59.900000Z',
        actionsExecuted: ['waf', 'forward'],
        requestHttpMethod: 'GET',
        requestUrl: 'https://example.com:443/',
        requestHttpVersion: 'HTTP/1.1',
      },
    ],
  },
  parse(text) {
    const values = readColumns(text)
    if (values === undefined || values.length < ALB_LEAST || !ALB_TYPES.has(values[0] ?? '') || !TIME.test(values[1] ?? ''))
      return undefined
    const record = recordOf(ALB, values)
    if (record !== undefined && values.length > ALB.length)
      record['additionalFields'] = values.slice(ALB.length).map((value) => value ?? null)
    return record && withRequest(record)
  },
}

export const awsElb: NativeParser = {
  type: 'aws-elb',
  summary: 'Access logs of AWS Classic Load Balancers.',
  example: {
    texts: [
      '2024-04-19T12:00:00.943958Z my-loadbalancer 192.0.2.10:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/8.5.0" - -',
    ],
    records: [
      {
        timestamp: '2024-04-19T12:00:00.943958Z',
        elb: 'my-loadbalancer',
        clientIp: '192.0.2.10',
        clientPort: 2817,
        backendIp: '10.0.0.1',
        backendPort: 80,
        requestProcessingTime: 0.000073,
        backendProcessingTime: 0.001048,
        responseProcessingTime: 0.000057,
        elbStatusCode: 200,
        backendStatusCode: 200,
        receivedBytes: 0,
        sentBytes: 29,
        userAgent: 'curl/8.5.0',
        requestHttpMethod: 'GET',
        requestUrl: 'http://www.example.com:80/',
        requestHttpVersion: 'HTTP/1.1',
      },
    ],
  },
  parse(text) {
    const values = readColumns(text)
    if (values === undefined || values.length < 12 || values.length > CLASSIC.length || !TIME.test(values[0] ?? ''))
      return undefined
    const record = recordOf(CLASSIC, values)
    return record && withRequest(record)
  },
}

/** Replaces `request` by its parts; `- - - ` stands for a request that was not HTTP. */
function withRequest(record: JsonObject): JsonObject {
  const { request } = record
  const parts = splitRequest(typeof request === 'string' ? request.trim() : undefined)
  if (parts === undefined || parts.method === '-') {
    if (typeof request === 'string' && /^[- ]+$/.test(request)) delete record['request']
    return record
  }
  delete record['request']
  record['requestHttpMethod'] = parts.method
  record['requestUrl'] = parts.uri
  if (parts.protocol !== undefined) record['requestHttpVersion'] = parts.protocol
  return record
}
